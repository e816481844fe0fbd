"""format=flowed (RFC 3676): lines that were broken for the wire only become paragraphs again."""


def unflow(text: str, delsp: bool = False) -> str:
    """`text` with its soft line breaks taken out. Quote depth is kept as ">" marks, "-- " stays a line of its own.

    `delsp`: the space before a soft break was put there for it. Linear.
    """
    out, words, depth = [], [], 0

    def close():
        line = "".join(words)
        # A line's own ">" stands behind a blank, as it was stuffed: it is to be no mark later on either.
        out.append(">" * depth + (" " if line and (depth or line[0] == ">") else "") + line)
        words.clear()

    for line in text.replace("\r\n", "\n").split("\n"):
        content = line.lstrip(">")
        level = len(line) - len(content)
        if content[:1] == " ":
            content = content[1:]       # stuffed, so that it starts neither with ">" nor with "From "
        if words and (level != depth or content == "-- "):
            close()                     # a paragraph that ends in the middle: be lenient
        depth = level
        soft = content.endswith(" ") and content != "-- "
        words.append(content[:-1] if soft and delsp else content)
        if not soft:
            close()
    if words:
        close()
    return "\n".join(out)
