"""What is allowed: pure questions and answers. Codes with facts come out; the sentences are in webapp/words/."""


class RuleBroken(Exception):
    """A rule says no. `field` names the form field it speaks to, `code` the reason, `facts` what the words need."""

    def __init__(self, field, code, **facts):
        super().__init__(field, code, facts)
        self.field, self.code, self.facts = field, code, facts

    def __eq__(self, other):
        return isinstance(other, RuleBroken) and self.args == other.args

    __hash__ = None
