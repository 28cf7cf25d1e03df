"""Messages of WS-Management for a command on a Windows host: what is sent, and what an answer says. No sockets here.

DSP0226 (WS-Management 1.1) with Microsoft's shells (MS-WSMV 3.1.4): Create opens a shell, Command begins a process in it, Receive
takes what it says, Signal ends it, Delete closes the shell. Answers are a host's word: an answer with a document type is refused,
so nothing in it can stand for something else.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import msgspec

from kernel.errors import LiandunError

CONTENT_TYPE = "application/soap+xml;charset=UTF-8"
OPERATION_SECONDS = 15
"""How long a host may hold a Receive back before it answers that nothing came."""
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_MANAGEMENT = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_DONE = f"{_SHELL}/CommandState/Done"
_TERMINATE = f"{_SHELL}/signal/terminate"
_TIMED_OUT = "2150858793"
"""ERROR_WSMAN_OPERATION_TIMEDOUT: nothing came within OPERATION_SECONDS, and nothing is wrong."""
_MOST_ENVELOPE = 153_600
_ENVELOPE = (
    '<s:Envelope xmlns:s="{soap}" xmlns:a="{addressing}" xmlns:w="{management}" xmlns:rsp="{shell}">'
    "<s:Header><a:To>{to}</a:To>"
    '<a:ReplyTo><a:Address s:mustUnderstand="true">{addressing}/role/anonymous</a:Address></a:ReplyTo>'
    '<a:Action s:mustUnderstand="true">{action}</a:Action><a:MessageID>uuid:{number}</a:MessageID>'
    '<w:ResourceURI s:mustUnderstand="true">{shell}/cmd</w:ResourceURI>'
    '<w:MaxEnvelopeSize s:mustUnderstand="true">{most}</w:MaxEnvelopeSize>'
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><w:OperationTimeout>PT{seconds}S</w:OperationTimeout>'
    "{selector}{options}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)


class WsmanError(LiandunError):
    """An answer that cannot be understood."""


class Fault(LiandunError):
    """The host says that it did not do it. ``code`` as Windows numbers it, "" where it gives none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code

    @property
    def nothing_came(self) -> bool:
        """Whether it only says that nothing came in time."""
        return self.code == _TIMED_OUT


class Received(msgspec.Struct, frozen=True):
    """What a process said since the last answer. ``code``: its exit code, once it has ended."""

    output: bytes
    errors: bytes
    code: int | None


def create(to: str) -> bytes:
    """Open a shell; texts in it are UTF-8."""
    options = {"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001"}
    body = "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
    return _message(to, f"{_TRANSFER}/Create", body, options=options)


def command(to: str, shell: str, program: str, arguments: Sequence[str]) -> bytes:
    """Begin a process: the shell of Windows (cmd.exe) reads program and arguments."""
    options = {"WINRS_CONSOLEMODE_STDIN": "TRUE", "WINRS_SKIP_CMD_SHELL": "FALSE"}
    told = "".join(f"<rsp:Arguments>{escape(one)}</rsp:Arguments>" for one in arguments)
    body = f"<rsp:CommandLine><rsp:Command>{escape(program)}</rsp:Command>{told}</rsp:CommandLine>"
    return _message(to, f"{_SHELL}/Command", body, shell, options)


def receive(to: str, shell: str, process: str) -> bytes:
    """Ask for what a process has said."""
    body = f"<rsp:Receive><rsp:DesiredStream CommandId={quoteattr(process)}>stdout stderr</rsp:DesiredStream></rsp:Receive>"
    return _message(to, f"{_SHELL}/Receive", body, shell, {"WSMAN_CMDSHELL_OPTION_KEEPALIVE": "TRUE"})


def terminate(to: str, shell: str, process: str) -> bytes:
    """End a process, or say that its end has been seen."""
    body = f"<rsp:Signal CommandId={quoteattr(process)}><rsp:Code>{_TERMINATE}</rsp:Code></rsp:Signal>"
    return _message(to, f"{_SHELL}/Signal", body, shell)


def delete(to: str, shell: str) -> bytes:
    """Close a shell: the host ends what still runs in it."""
    return _message(to, f"{_TRANSFER}/Delete", "", shell)


def shell_of(answer: bytes) -> str:
    """The id of the shell that Create opened. Raises WsmanError, Fault."""
    root = _read(answer)
    for selector in root.iter(f"{{{_MANAGEMENT}}}Selector"):
        if selector.get("Name") == "ShellId" and selector.text:
            return _identifier(selector.text)
    found = root.find(f".//{{{_SHELL}}}ShellId")
    return _identifier(found.text if found is not None else None)


def process_of(answer: bytes) -> str:
    """The id of the process that Command began. Raises WsmanError, Fault."""
    found = _read(answer).find(f".//{{{_SHELL}}}CommandId")
    return _identifier(found.text if found is not None else None)


def received(answer: bytes, process: str) -> Received:
    """What a process said. Raises WsmanError, Fault."""
    root = _read(answer)
    said: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    for stream in root.iter(f"{{{_SHELL}}}Stream"):
        name = stream.get("Name", "")
        if name in said and stream.get("CommandId") == process and stream.text:
            said[name] += _decoded(stream.text)
    code = None
    for state in root.iter(f"{{{_SHELL}}}CommandState"):
        if state.get("CommandId") == process and state.get("State") == _DONE:
            code = _exit_code(state.findtext(f"{{{_SHELL}}}ExitCode"))
    return Received(bytes(said["stdout"]), bytes(said["stderr"]), code)


def check(answer: bytes) -> None:
    """An answer that only says that it was done. Raises WsmanError, Fault."""
    _read(answer)


def _message(to: str, action: str, body: str, shell: str = "", options: Mapping[str, str] | None = None) -> bytes:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell)}</w:Selector></w:SelectorSet>' if shell else ""
    told = "".join(f"<w:Option Name={quoteattr(name)}>{escape(value)}</w:Option>" for name, value in (options or {}).items())
    return _ENVELOPE.format(
        soap=_SOAP, addressing=_ADDRESSING, management=_MANAGEMENT, shell=_SHELL, to=escape(to), action=action,
        number=str(uuid.uuid4()).upper(), most=_MOST_ENVELOPE, seconds=OPERATION_SECONDS, selector=selector,
        options=f"<w:OptionSet>{told}</w:OptionSet>" if told else "", body=body,
    ).encode()  # fmt: skip


def _read(answer: bytes) -> ElementTree.Element:
    """The envelope of an answer. Raises WsmanError for what is none, Fault for one that says that it was not done."""
    try:
        text = answer.decode("utf-8-sig")  # by us: in another encoding a document type would not be seen
        if "\0" in text:
            raise WsmanError("the answer is no text")  # the parser would take it for another encoding, too
        if "<!" in text:
            raise WsmanError("the answer has a document type, which WS-Management has not")
        root = ElementTree.fromstring(text)  # noqa: S314 — without a document type there are no entities
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise WsmanError(f"the answer is no XML: {error}") from error
    if root.tag != f"{{{_SOAP}}}Envelope":
        raise WsmanError("the answer is none of WS-Management")
    fault = root.find(f"./{{{_SOAP}}}Body/{{{_SOAP}}}Fault")
    if fault is not None:
        raise _fault(fault)
    return root


def _fault(fault: ElementTree.Element) -> Fault:
    told = fault.find(f".//{{{_FAULT}}}WSManFault")
    reason = " ".join("".join(part.itertext()) for part in fault.iterfind(f"./{{{_SOAP}}}Reason"))
    message = " ".join("".join(told.itertext()).split()) if told is not None else ""
    code = told.get("Code", "") if told is not None else ""
    subcode = fault.findtext(f"./{{{_SOAP}}}Code/{{{_SOAP}}}Subcode/{{{_SOAP}}}Value") or ""
    if not code and subcode.strip().rpartition(":")[2] == "TimedOut":
        code = _TIMED_OUT
    return Fault(" ".join((message or reason or "no reason given").split())[:300], code[:20])


def _identifier(text: str | None) -> str:
    if not text or len(text) > 200 or not text.isprintable():
        raise WsmanError("the answer does not name what it began")
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WsmanError("the answer has output that is no base64") from error


def _exit_code(text: str | None) -> int:
    try:
        return int((text or "").strip()[:12])
    except ValueError as error:
        raise WsmanError("the answer does not say how the process ended") from error
