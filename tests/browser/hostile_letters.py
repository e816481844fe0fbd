"""Letters from hell: the cases kept beside the project, where that folder is, and many of our own of each kind."""

import json
from pathlib import Path

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
SCRIPTS = ("html-live", "htmx-gadgets")
LEAKS = ("css-remote-leaks", "email-privacy-tester")
OVERLAYS = "overlay-phish"

OWN = {
    "own-script": "<script>alert(1)</script>",
    "own-event": "<img src=nothing onerror=alert(1)>",
    "own-svg": "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x dur=1s>",
    "own-frame": "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "own-focus": "<input autofocus onfocus=alert(1)><button onclick=alert(1)>Go</button>",
    "own-link": "<a href='javascript:alert(1)'>here</a><form action='javascript:alert(1)'><button>send</button>",
    "own-mutation": "<math><mtext><table><mglyph><style><!--</style>"
                    "<img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "own-details": "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "own-image": "<img src='http://leak.test/1'><div style='background:url(//leak.test/2)'>x</div>",
    "own-font": "<style>@import 'http://leak.test/3';@font-face{font-family:a;src:url(http://leak.test/4)}"
                "*{font:9px a}</style>x",
    "own-refresh": "<meta http-equiv=refresh content='0;url=http://leak.test/5'><base href='http://leak.test/'>"
                   "<img src=6>",
    "own-gadget": "<div hx-get='http://leak.test/7' hx-trigger=load>x</div>",
    "own-overlay": "<div style='position:fixed;inset:0;z-index:9;background:red'>Sign in<input type=password></div>",
}
MORE_SCRIPTS = [
    "<svg><script href=data:,alert(1) /></svg>", "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>", "<embed src='javascript:alert(1)'>",
    "<a href='java&#9;script:alert(1)'>x</a>", "<a href='&#x6a;avascript&colon;alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>", "<a xlink:href='javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>", "<a href='vbscript:msgbox(1)'>x</a>",
    "<area href='javascript:alert(1)' shape=default><map name=m><area href='javascript:alert(2)'></map>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>", "<xmp><img src=x onerror=alert(1)></xmp>",
    "<style><img src=x onerror=alert(1)></style>", "<title><img src=x onerror=alert(1)></title>",
    "<textarea><img src=x onerror=alert(1)></textarea><plaintext><img src=x onerror=alert(1)>",
    "<template shadowrootmode=open><script>alert(1)</script></template>", "<!--><img src=x onerror=alert(1)>-->",
    "<!--!><script>alert(1)</script>--!><img src=x onerror=alert(1)>", "<![CDATA[><img src=x onerror=alert(1)>]]>",
    "<form id=f><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<svg></p><style><a title='</style><img src=x onerror=alert(1)>'>", "<table><td><select><img src=x onerror=alert(1)>",
    "<p style='behavior:url(#x);-moz-binding:url(//leak.test/x);width:expression(alert(1))'>x</p>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>", "<body onload=alert(1) onpageshow=alert(2)>",
    "<marquee onstart=alert(1)>x</marquee>", "<isindex type=image src=1 onerror=alert(1)>", "<dialog open onclose=alert(1)>",
    "<div contenteditable onbeforeinput=alert(1) onfocus=alert(2) tabindex=0 autofocus>x</div>",
    "<div style='animation:x 1s' onanimationstart=alert(1)>x</div><style>@keyframes x{from{top:0}}</style>",
    "<div popover id=p ontoggle=alert(1)>x</div><button popovertarget=p>y</button><button commandfor=p command=show-popover>",
    "<a href=# onclick=alert(1) accesskey=x>x</a><label for=x onclick=alert(2)>y</label>",
    "<input type=image src=x onerror=alert(1)><input type=submit formaction='javascript:alert(1)'>",
    "<img src='x' srcset='x 1x' sizes='x' onerror=alert(1) loading=lazy>", "<picture><source srcset=x><img src=x onerror=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>", "<iframe src=//leak.test/f sandbox='allow-scripts'></iframe>",
    "<link rel=import href='data:text/html,<script>alert(1)</script>'>", "<meta http-equiv=Content-Security-Policy content=''>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<base href='javascript:/a/-alert(1)///////'>",
    "<math><a xlink:href='javascript:alert(1)'>x</a></math>", "<math href='javascript:alert(1)'>x</math>",
    "<svg><set attributeName=onmouseover to=alert(1)><animate attributeName=href values='javascript:alert(1)'>",
    "<svg><a><animate attributeName=href to='javascript:alert(1)' /><text y=20>x</text></a></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'>", "<details ontoggle=alert(1) open>x</details>",
    "<img name=documentElement><img name=body><form name=cookie><input name=attributes></form><img src=x onerror=alert(1)>",
    "<div _='on load call alert(1)' x-data x-init='alert(1)' @click='alert(1)' v-on:click='alert(1)' ng-app>x</div>",
    "<div data-hx-get=/inboxes hx-trigger='load' hx-on::load='alert(1)' hx-vals='js:{a:alert(1)}'>x</div>",
    "<a href=/sign-out hx-boost=true hx-post=/sign-out hx-trigger='load'>x</a>", "<form action=/sign-out method=post><button>x",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "\x1b$B<script>alert(1)</script>\x1b(B", "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img src=x oNeRrOr=alert(1)//", "<img/src=x/onerror=alert(1)>", "<img src=x onerror\n=\nalert(1)>", "<p/onclick=alert(1)>x",
]
MORE_LEAKS = [
    "<img src=//leak.test/a1>", "<img srcset='http://leak.test/a2 1x, http://leak.test/a3 2x'>", "<input type=image src=//leak.test/a4>",
    "<picture><source srcset=//leak.test/a5><img></picture>", "<video src=//leak.test/a6 poster=//leak.test/a7 autoplay></video>",
    "<audio src=//leak.test/a8 autoplay></audio><track src=//leak.test/a9>", "<table background=//leak.test/a10><td background=//leak.test/a11>x",
    "<body background=//leak.test/a12>", "<link rel=stylesheet href=//leak.test/a13><link rel=icon href=//leak.test/a14>",
    "<link rel=preload as=image href=//leak.test/a15><link rel=prefetch href=//leak.test/a16>", "<link rel=preconnect href=//pre.leak.test>",
    "<link rel=dns-prefetch href=//dns.leak.test>", "<link rel=modulepreload href=//leak.test/a17>", "<link rel=manifest href=//leak.test/a18>",
    "<a href=//leak.test/a19 ping=//leak.test/a20 attributionsrc=//leak.test/a21>x</a><img attributionsrc=//leak.test/a22>",
    "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"//leak.test/a23\"]}]}</script>", "<iframe src=//leak.test/a24></iframe>",
    "<object data=//leak.test/a25></object><embed src=//leak.test/a26>", "<svg><image href=//leak.test/a27 /><use href='//leak.test/a28#x'/></svg>",
    "<svg><filter><feImage href=//leak.test/a29 /></filter></svg>", "<div style='background-image:url(//leak.test/b1)'>x</div>",
    "<div style='background:image-set(\"//leak.test/b2\" 1x)'>x</div>", "<div style='list-style:url(//leak.test/b3)'>x</div>",
    "<div style='content:url(//leak.test/b4)'>x</div>", "<div style='cursor:url(//leak.test/b5),auto'>x</div>",
    "<div style='mask:url(//leak.test/b6);clip-path:url(//leak.test/b7);filter:url(//leak.test/b8)'>x</div>",
    "<div style='border-image:url(//leak.test/b9) 1;shape-outside:url(//leak.test/b10);float:left'>x</div>",
    "<div style='background:u\\72l(//leak.test/b11)'>x</div>", "<div style='--x:url(//leak.test/b12);background:var(--x)'>x</div>",
    "<div style='background:src(\"//leak.test/b13\")'>x</div>", "<div style=\"background:cross-fade(url(//leak.test/b14),#fff)\">x</div>",
    "<style>@import url(//leak.test/c1);@namespace url(//leak.test/c2);</style>x", "<style>div{background:url(//leak.test/c3)}</style><div>x</div>",
    "<style>@font-face{font-family:f;src:url(//leak.test/c4)}p{font-family:f}</style><p>x</p>",
    "<style>@media screen{p{background:url(//leak.test/c5)}}@supports (a:b){p{background:url(//leak.test/c6)}}</style><p>x",
    "<style>a[href^=h]{background:url(//leak.test/c7)}</style><a href=http://x.test>x</a>", "<style>p::before{content:url(//leak.test/c8)}</style><p>x",
    "<style>.a{background:red;}/*</style>*/.b{background:url(//leak.test/c9)}</style><p class=b>x", "<font face='x,url(//leak.test/c10)'>x</font>",
    "<style>.x{color:red}} .x{background:url('//leak.test/c11')}</style><p class=x>x", "<img lowsrc=//leak.test/d1 dynsrc=//leak.test/d2>",
    "<img src='cid:nothing'><img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"http://leak.test/d3\"/></svg>'>",
    "<bgsound src=//leak.test/d4><layer src=//leak.test/d5>", "<html manifest=//leak.test/d6>", "<head profile=//leak.test/d7>",
    "<blockquote cite=//leak.test/d8>x</blockquote><q cite=//leak.test/d9>x</q>", "<form action=//leak.test/d10><input autofocus></form>",
    "<img src=/messages/1/raw><img src=/inboxes><iframe src=/></iframe><link rel=stylesheet href=/static/app.css>", "<img src=x><img src=./y><img src=../z>",
    "<style>body{margin:0;background:#fff url(//leak.test/e1)}.a{width:10px}</style><p class=a>x</p>",
    "<style>#a .b td{background-image:url('//leak.test/e2')!important}</style><div id=a><table class=b><tr><td>x</table></div>",
]
MORE_OVERLAYS = [
    "<div style='position:fixed;inset:0;background:red'>x</div>", "<div style='position:absolute;top:-900px;left:-900px;width:5000px;"
    "height:5000px;background:red'>x</div>", "<div style='margin:-900px;background:red;width:3000px;height:3000px'>x</div>",
    "<div style='box-shadow:0 0 0 3000px red'>x</div>", "<div style='outline:3000px solid red'>x</div>",
    "<div style='transform:scale(99);background:red'>x</div>", "<style>.o{position:fixed;inset:0;background:red}</style><div class=o>x</div>",
    "<style>body{position:fixed;inset:-9999px;background:red}html{zoom:9}</style>x", "<dialog open style='position:fixed;inset:0'>Sign in</dialog>",
    "<div popover=manual>x</div><form>Password<input type=password><button>Sign in</button></form>",
    "<table height=99999 width=99999 bgcolor=red><tr><td>x</table>", "<div style='height:2000px;background:red'>x</div>",
    "<details open><summary>Show quoted text</summary><select><option>x</select></details>", "<hr size=99999 color=red width=99999>",
    "<div style='text-indent:-9999px;letter-spacing:-99px;line-height:-9'>x</div>", "<a href='https://postroom.example.evil.test/'>Sign in</a>",
]
LIST = {**OWN, **{f"own-script-{n}": html for n, html in enumerate(MORE_SCRIPTS)},
        **{f"own-leak-{n}": html for n, html in enumerate(MORE_LEAKS)},
        **{f"own-overlay-{n}": html for n, html in enumerate(MORE_OVERLAYS)}}


def letters(*names):
    """{id: HTML}: all of our own, and those of these files."""
    found = dict(LIST)
    for name in names:
        found |= cases(name)
    return found


def cases(name):
    path = CASES / f"{name}.jsonl"
    rows = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {row["id"]: row["html"] for row in rows if "html" in row}


def overlays():
    """{id: HTML} of what would like to be painted over the product itself."""
    return {name: html for name, html in LIST.items() if "overlay" in name} | cases(OVERLAYS)
