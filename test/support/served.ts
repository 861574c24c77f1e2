/*
 * What a program inside a run serves, in Python so that nothing of it is fleet's: a page, what it was asked with,
 * events, a websocket that echoes, and answers of somebody who means ill.
 */
export const served = String.raw`
import base64, hashlib, json, socket, struct, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

page = b"""<!doctype html><title>served</title><h1 id=h>hello</h1><script>
document.getElementById('h').textContent = 'script ran'
</script>"""

class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass
    def send(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace('_', '-'), one)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
    def do_GET(self):
        path = self.path.split('?')[0]
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length).decode('latin1')
        if self.headers.get('Upgrade', '').lower() == 'websocket':
            return self.websocket()
        if path == '/asked':
            told = {'method': self.command, 'path': self.path, 'body': body, 'headers': [[k.lower(), v] for k, v in self.headers.items()]}
            return self.send(200, json.dumps(told).encode(), Content_Type='application/json')
        if path == '/headers':
            return self.send(200, b'ok', Set_Cookie=['a=1; Domain=localhost; Path=/', 'fleet-page-1=x', 'b=2'],
                Content_Security_Policy="img-src 'none'; report-uri https://evil.test/r", Report_To='{"group":"x"}',
                NEL='{}', Alt_Svc='h2="evil.test:443"', Access_Control_Allow_Origin='*',
                Permissions_Policy='camera=*')
        if path == '/self':
            return self.send(302, Location='http://localhost:%d/there?x=1' % self.server.server_port)
        if path == '/away':
            return self.send(302, Location='http://127.0.0.1:22/')
        if path == '/hot':
            words = open('hot.txt', 'rb').read()
            return self.send(200, b'<h1>' + words + b'''</h1><script>
                new WebSocket(location.origin.replace('http', 'ws') + '/changes').onmessage = () => location.reload()
                </script>''', Content_Type='text/html')
        if path == '/events':
            self.send_response(200)
            self.send_header('Content-Type', 'text/event-stream')
            self.end_headers()
            for number in range(3):
                self.wfile.write(b'data: %d\n\n' % number)
                self.wfile.flush()
                time.sleep(1)
            self.close_connection = True
            return
        self.send(200, page, Content_Type='text/html')
    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET
    def websocket(self):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        self.send_header('Upgrade', 'websocket')
        self.send_header('Connection', 'Upgrade')
        self.send_header('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        def text(words):
            self.wfile.write(bytes([129, len(words)]) + words)
            self.wfile.flush()
        if self.path == '/changes':
            before = open('hot.txt').read()
            while open('hot.txt').read() == before: time.sleep(0.1)
            return text(b'changed')
        text(json.dumps({'origin': self.headers['Origin'], 'host': self.headers['Host']}).encode())
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8: return
            mask = self.rfile.read(4)
            text(bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(head[1] & 127))))

if ':' in sys.argv[1]: ThreadingHTTPServer.address_family = socket.AF_INET6
ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
`;

/**
 * A client of websockets in Python, which sends what it is told to: `client PORT HOST ORIGIN COOKIE`. Prints the first
 * line of the answer, the first message, what comes back for "ping", and then waits: "closed" once the other end does.
 */
export const websocketClient = String.raw`
import socket, sys
port, host, origin, cookie = sys.argv[1:5]
peer = socket.create_connection(('127.0.0.1', int(port)), 10)
lines = ['GET /live HTTP/1.1', 'Host: ' + host, 'Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
if origin: lines.append('Origin: ' + origin)
if cookie: lines.append('Cookie: ' + cookie)
peer.sendall('\r\n'.join(lines + ['', '']).encode())
file = peer.makefile('rb')
print(file.readline().decode().strip(), flush=True)
while file.readline() not in (b'\r\n', b''): pass
def message():
    head = file.read(2)
    return file.read(head[1]).decode() if len(head) == 2 else 'closed'
print(message(), flush=True)
peer.sendall(bytes([129, 128 + 4, 1, 2, 3, 4]) + bytes(byte ^ (at % 4 + 1) for at, byte in enumerate(b'ping')))
print(message(), flush=True)
peer.settimeout(60)
try:
    print(message(), flush=True)
except OSError:
    print('closed', flush=True)
`;
