"""A web server that reads requests by the letter of RFC 9112 and nothing more lenient, and tells what came, a line of JSON for each thing.

Arguments: certificate and key files for TLS, or none. Prints {"port": N} first. A request that breaks a rule is told as
"odd", bytes that are left when a connection ends as "left". Written by itself, so that it errs in no common way with the proxy.
"""
import asyncio
import base64
import hashlib
import json
import re
import ssl
import sys

REQUEST_LINE = re.compile(rb"([A-Z]+(?:-[A-Z]+)*) (/[!-\"$-~]*) HTTP/1\.1")
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*?)[ \t]*")
DECISIVE = (b"content-length", b"transfer-encoding", b"host", b"connection", b"upgrade", b"te", b"trailer", b"expect", b"content-type")
BODILESS = (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT")


class Odd(Exception):
    pass


class More(Exception):
    pass


def line_at(data, at):
    end = data.find(b"\r\n", at)
    if end < 0:
        if b"\n" in data[at:]:
            raise Odd("a line that ends with LF alone")
        raise More
    if b"\r" in data[at:end] or b"\n" in data[at:end]:
        raise Odd("CR or LF within a line")
    return data[at:end], end + 2


def chunks_at(data, at):
    body = b""
    while True:
        line, at = line_at(data, at)
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", line):
            raise Odd("a chunk's size")
        size = int(line, 16)
        if size == 0:
            line, at = line_at(data, at)
            if line:
                raise Odd("trailers")
            return body, at
        if len(data) < at + size + 2:
            raise More
        body += data[at:at + size]
        if data[at + size:at + size + 2] != b"\r\n":
            raise Odd("a chunk's end")
        at += size + 2


def request_in(data):
    """The first request of some bytes, and where it ends. Raises More where it is not whole."""
    line, at = line_at(data, 0)
    match = REQUEST_LINE.fullmatch(line)
    if not match:
        raise Odd("the request line")
    method, target = match.groups()
    headers = []
    while True:
        line, at = line_at(data, at)
        if not line:
            break
        match = HEADER.fullmatch(line)
        if not match:
            raise Odd("a header")
        name = match[1].lower()
        read = re.sub(rb"[^a-z0-9]", b"-", name)
        if read != name and read in DECISIVE or any(read == re.sub(rb"[^a-z0-9]", b"-", other) and name != other for other, _ in headers):
            raise Odd("a name that can be read in two ways")
        headers.append((name, match[2]))
    request = {"method": method, "target": target, "headers": headers, "body": b""}

    def values(name):
        return [value for other, value in headers if other == name]

    if len(values(b"host")) != 1:
        raise Odd("not one Host")
    lengths, codings = values(b"content-length"), values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Odd("framed twice")
    if (lengths and lengths != [b"0"] or codings) and method in BODILESS:
        raise Odd("a body where there is none")
    if len(values(b"connection")) != 1:
        raise Odd("not one Connection")
    try:
        if codings:
            if codings != [b"chunked"]:
                raise Odd("a coding")
            request["body"], at = chunks_at(data, at)
        elif lengths:
            if not re.fullmatch(rb"0|[1-9][0-9]*", lengths[0]):
                raise Odd("a length")
            end = at + int(lengths[0])
            if len(data) < end:
                raise More
            request["body"], at = data[at:end], end
    except More:
        raise More(request) from None
    return request, at


def say(event):
    def plain(value):
        return value.decode("latin1") if isinstance(value, bytes) else [plain(part) for part in value] if isinstance(value, (list, tuple)) else value
    sys.stdout.write(json.dumps({key: plain(value) for key, value in event.items()}) + "\n")
    sys.stdout.flush()


count = 0
answered = 0


async def serve(reader, writer):
    global count, answered
    count += 1
    own = count
    data = b""
    closing = False
    try:
        while True:
            try:
                request, end = request_in(data)
                data = data[end:]
                if closing:
                    say({"connection": own, "odd": "a request after the last one of a connection"})
                answered += 1
                say({"connection": own, **request})
                headers = dict(request["headers"])
                if headers.get(b"upgrade"):
                    accept = base64.b64encode(hashlib.sha1(headers.get(b"sec-websocket-key", b"") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                    if answered % 2:
                        writer.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    else:
                        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x02hi")
                    await writer.drain()
                    await asyncio.sleep(0.005)
                    return
                closing = headers[b"connection"].lower() == b"close"
                ends = closing or answered % 7 == 0
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + (b"Connection: close\r\n" if ends else b"") + b"\r\n" + (b"" if request["method"] == b"HEAD" else b"fine"))
                await writer.drain()
                if ends and not closing:
                    return
                continue
            except More:
                pass
            more = await reader.read(65536)
            if not more:
                break
            data += more
    except Odd as error:
        say({"connection": own, "odd": str(error), "bytes": data[:2000]})
        data = b""
    except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, OSError):
        pass
    finally:
        if data:
            try:
                request_in(data)
            except More as error:
                say({"connection": own, "left": data[:2000], **(error.args[0] if error.args else {})})
            except Odd as error:
                say({"connection": own, "odd": str(error), "bytes": data[:2000]})
        say({"connection": own, "closed": True})
        writer.transport.abort()


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1000)
    say({"port": server.sockets[0].getsockname()[1]})
    # Whoever started it is gone once its words end; each line asks for a word that everything before was told.
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        say({"told": line.decode().strip()})


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
