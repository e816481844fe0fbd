import pytest

from webapp.mail.css import clean


@pytest.mark.parametrize(
    "style",
    [
        "margin:-1px",
        "margin-top:-5000px",
        "width:9999px",
        "width:100vw",
        "height:100vh",
        "border:9000px solid red",
        "padding:501%",
        "position:fixed",
        "transform:scale(9)",
        "z-index:9",
        "top:0",
        "display:flex",
        "overflow:visible",
        "float:left right",
        "color:var(--x)",
        "color:attr(x)",
        "width:calc(1px + 1px)",
        "background:url(http://x.example)",
        "color:url(x)",
        "--x:url(y)",
        "color:\\75rl(http://x.example)",
        "list-style:url(x)",
        "font-family:url(x)",
        "color:'x'",
        "color:red;}@import 'x'"[10:],
        "width:1e9px",
        "x" * 5_000,
    ],
)
def test_what_may_harm_is_dropped(style):
    assert clean(style) == ""


@pytest.mark.parametrize(
    "style, kept",
    [
        ("Color : RED !important ; POSITION:fixed", "color:RED"),
        ("background:#fff url(x) repeat", "background-color:#fff"),
        ("background:url(x) white", "background-color:white"),
        ("letter-spacing:-1px", "letter-spacing:-1px"),
        ("width:100%;max-width:600px", "width:100%;max-width:600px"),
        ("color:rgba(1, 2, 3, .5)", "color:rgba(1, 2, 3, .5)"),
        ("display:none", "display:none"),
        ("a{b:c};color:red", "color:red"),
    ],
)
def test_what_paints_is_kept(style, kept):
    assert clean(style) == kept


@pytest.mark.parametrize("style, kept", [
    ("background:url(x.jpg);color:#fff", ""),                                   # white on a picture that is not shown
    ("background:url(x.jpg) #333;color:#fff", "background-color:#333;color:#fff"),
    ("background-color:#111;color:var(--text)", ""),                            # its own colour was for that background
    ("background-image:linear-gradient(90deg, #123456, #654321);color:#fff", "background-color:#123456;color:#fff"),
    ("background:linear-gradient(to right,red,blue)", "background-color:red"),
    ("background:none;color:#333", "color:#333"),
    ("background:#111;background:url(x);color:#eee", "background-color:#111;color:#eee"),
    ("color:red;color:expression(1)", "color:red"),
])
def test_colours_that_belong_together_stay_or_go_together(style, kept):
    assert clean(style) == kept
