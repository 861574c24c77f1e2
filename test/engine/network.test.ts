import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {test} from 'node:test';
import {quietNode} from '../../source/engine/run/injected-files.ts';
import {readTrusted, trustEnvironmentOf} from '../../source/host/trusted.ts';
import {Git} from '../../source/host/git.ts';
import {Authority} from '../../source/host/authority.ts';
import {Fleet} from '../support/fleet.ts';

/** A line that only this certificate has. */
const lineOf = (certificate: string) => certificate.split('\n')[3]!;

test('the authorities of the person are trusted in a run and in verify alike, and no key comes along', async t => {
	const names = ['node', 'requests', 'git'];
	const [node = '', requests = '', git = ''] = names.map(name => new Authority(name).certificate);
	const look = [node, requests, git]
		.map(
			certificate =>
				`grep -c '${lineOf(certificate)}' /run/fleet/trust/bundle.pem "$NODE_EXTRA_CA_CERTS" "$SSL_CERT_FILE" ` +
				"$(ls /etc/ssl/certs/ca-certificates.crt 2> /dev/null) | sed 's/.*://' | tr -d '\\n'",
		)
		.join('; ');
	const script = `${look}; cat /run/fleet/trust/* | grep -c PRIVATE; echo seen`;
	const fleet = new Fleet(t, {policy: `verify:\n  - ${JSON.stringify(script)}\n`});
	const key = execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'], {encoding: 'utf8'});
	writeFileSync(path.join(fleet.folder, 'node.pem'), `A company\n${key}${node}`);
	writeFileSync(path.join(fleet.project, '..', 'requests.pem'), requests);
	writeFileSync(path.join(fleet.home, 'git.pem'), git);
	fleet.git('config', 'http.sslCAInfo', '~/git.pem');
	// A place may be relative to the folder where fleet was called.
	Object.assign(fleet.env, {
		NODE_EXTRA_CA_CERTS: path.join(fleet.folder, 'node.pem'),
		REQUESTS_CA_BUNDLE: '../requests.pem',
		CURL_CA_BUNDLE: '/nonexistent/ca.pem',
	});
	const output = await fleet.agent('trusts', `${script}; echo two >> a.txt`);
	assert.match(output, /^1{9,12}0\r?\nseen/);
	assert.match(
		fleet.must('show', 'trusts'),
		/CURL_CA_BUNDLE names \/nonexistent\/ca\.pem, which is not there: left out/,
	);
	const {code, stdout, stderr} = fleet.run(['verify', 'trusts']);
	assert.equal(code, 0, stdout + stderr);
	assert.match(stdout, /^1{9,12}0\nseen/m);
	assert.match(stdout, /CURL_CA_BUNDLE names/);
});

test('what is named as a store and is none is one note, and what it holds of certificates is taken', async t => {
	const fleet = new Fleet(t, {add: false});
	const {certificate} = new Authority('folder');
	const folder = path.join(fleet.folder, 'certs');
	mkdirSync(folder);
	writeFileSync(path.join(folder, 'a.pem'), certificate);
	writeFileSync(path.join(folder, 'readme'), 'none');
	writeFileSync(
		path.join(fleet.folder, 'half.pem'),
		`${new Authority('half').certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
	);
	const base = await readTrusted(undefined, {});
	assert.deepEqual([base.notes, base.extra.length > 0], [[], true]);
	const trusted = await readTrusted(new Git({gitDir: path.join(fleet.project, '.git')}), {
		SSL_CERT_DIR: `${folder}:/nonexistent`,
		NODE_EXTRA_CA_CERTS: '/dev/zero',
		SSL_CERT_FILE: path.join(fleet.folder, 'half.pem'),
		PIP_CERT: '/etc/passwd',
	});
	assert.equal(trusted.all.length, base.all.length + 2);
	assert.equal(trusted.extra.filter(text => text === certificate).length, 1);
	assert.deepEqual(trusted.notes.map(note => note.replace(/ names \S+, which/, '')).sort(), [
		'NODE_EXTRA_CA_CERTS is not a file: left out',
		'PIP_CERT holds no certificate (PEM): left out',
		'SSL_CERT_DIR is not there: left out',
		'SSL_CERT_FILE holds 1 of 2 certificates that cannot be read: left out',
	]);
	assert.deepEqual(trustEnvironmentOf({SSL_CERT_DIR: 'a:/b', SSL_CERT_FILE: 'c.pem', OTHER: 'x'}), {
		SSL_CERT_DIR: `${path.resolve('a')}:/b`,
		SSL_CERT_FILE: path.resolve('c.pem'),
	});
});

test('no program is told off that did nothing wrong, and a real warning is still shown', async t => {
	const fleet = new Fleet(t);
	const worker = 'new (require("worker_threads").Worker)("process.emitWarning(\\"from a thread\\")", {eval: true})';
	const output = await fleet.agent(
		'quiet',
		`for n in node /usr/bin/node; do $n -e 0; $n -e 'fetch("http://127.0.0.1:9").catch(() => {})'; done; ` +
			"git --version > /dev/null; curl -s http://127.0.0.1:9; python3 -c 'import ssl, urllib.request'; " +
			`echo between; node -e 'process.emitWarning("real")' 2>&1 | head -n 1; node -e '${worker}' 2>&1 | head -n 1`,
	);
	assert.match(output, /^between\r?\n\(node:\d+\) Warning: real\r?\n\(node:\d+\) Warning: from a thread\r?\n$/);
});

test('the warning of a Node that reads the proxy by an experiment is left out as each Node can', () => {
	assert.deepEqual(quietNode(['v25.1.0', 'v18.20.0']), {});
	assert.deepEqual(quietNode(['v22.23.2', 'v20.20.2']), {NODE_OPTIONS: '--disable-warning=UNDICI-EHPA'});
	for (const other of ['v18.20.0', 'v20.10.0', 'v21.1.0', undefined]) {
		assert.match(
			quietNode(['v22.23.2', other])['NODE_OPTIONS']!,
			/^--require=/,
			`${other} does not start with an option that it does not know`,
		);
	}
});

test("inside, loopback is the sandbox's own, in a run and in verify", async t => {
	const server =
		'import http.server,socket,sys\nclass S(http.server.ThreadingHTTPServer):\n' +
		'  address_family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET\n' +
		'class H(http.server.BaseHTTPRequestHandler):\n' +
		'  def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b"own ")\n' +
		'  def log_message(s,*a): pass\nS((sys.argv[1],int(sys.argv[2])),H).serve_forever()\n';
	const lines = [
		'python3 server.py 127.0.0.1 8123 & one=$!; python3 server.py ::1 8124 & two=$!; ' +
			'for p in 127.0.0.1:8123 [::1]:8124; do n=0; until curl -s -o /dev/null http://$p/; do n=$((n+1)); ' +
			'[ $n -gt 200 ] && exit 9; sleep 0.1; done; done',
		'for u in http://localhost:8123/ http://127.0.0.1:8123/ http://[::1]:8124/; do curl -s -m 5 $u || echo no; done',
		'echo',
		'python3 -c "import urllib.request as u; print(*[u.urlopen(x, timeout=5).read().decode() for x in ' +
			"('http://localhost:8123/', 'http://127.0.0.1:8123/')])\"",
		"node -e \"Promise.all(['http://localhost:8123/', 'http://127.0.0.1:8123/'].map(x => fetch(x).then(r => " +
			'r.text()))).then(t => console.log(...t))"',
	];
	const fleet = new Fleet(t, {
		policy: `verify:\n  - sh check.sh | tee out.txt; test $(grep -o own out.txt | wc -l) = 7\n`,
		files: {'server.py': server, 'check.sh': `${lines.join('\n')}\nkill $one $two\n`},
	});
	const output = await fleet.agent('own', 'sh check.sh; echo two >> a.txt');
	assert.equal(output.match(/own/g)?.length, 7, output);
	const {code, stdout, stderr} = fleet.run(['verify', 'own']);
	assert.equal(code, 0, stdout + stderr);
});

test("a run goes out by the proxy of the person's network, and never learns its login", async t => {
	const asked: string[] = [];
	const proxy = http.createServer((request, response) => {
		asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
		response.end(`by the company\n${JSON.stringify(request.headers)}\n`);
	});
	await new Promise<void>(resolve => {
		proxy.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		proxy.close();
		proxy.closeAllConnections();
	});
	const fleet = new Fleet(t);
	const place = `http://person:hidden-word-1@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
	Object.assign(fleet.env, {HTTP_PROXY: place, https_proxy: place});
	const output = await fleet.agent(
		'corp',
		'curl -s http://pkg.corp.invalid/; env; cat /proc/1/environ /proc/self/environ | tr "\\0" "\\n"',
		'--allow',
		'network:pkg.corp.invalid',
		'--because',
		'a mirror',
	);
	assert.match(output, /by the company/);
	const login = Buffer.from('person:hidden-word-1').toString('base64');
	assert.deepEqual(asked, [`http://pkg.corp.invalid/ Basic ${login}`]);
	const places = fleet.context().paths.run('corp');
	for (const text of [
		output,
		readFileSync(places.journal, 'utf8'),
		fleet.must('show', 'corp', '--json'),
		readFileSync(path.join(places.folder, 'supervisor.log'), 'utf8'),
	]) {
		assert.ok(!text.includes('hidden-word-1') && !text.includes(login), text);
	}
});

test('a port of this machine is reached by its own name once it is granted, and by no other', async t => {
	const hits: string[] = [];
	const server = http.createServer((request, response) => {
		hits.push(String(request.headers.host));
		response.end('served by the host');
	});
	// A server may listen on one of the two alone.
	await new Promise<void>(resolve => {
		server.listen(0, '::1', resolve);
	});
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	const {port} = server.address() as AddressInfo;
	const fleet = new Fleet(t);
	const refused = fleet.run([
		'run',
		'--name',
		'no',
		'--allow',
		`network:localhost:${port}`,
		'--because',
		'x',
		'--',
		'true',
	]);
	assert.equal(refused.code, 2);
	assert.ok(
		refused.stderr.includes(`network:host.fleet.internal:${port}`) && !/no running/.test(refused.stdout),
		refused.stderr,
	);
	assert.match(
		fleet.run(['run', '--name', 'no', '--allow', 'network:host.fleet.internal', '--because', 'x', '--', 'true']).stderr,
		/one port is opened at a time/,
	);
	const spellings = [
		'localhost',
		'127.0.0.1',
		'127.1',
		'2130706433',
		'0.0.0.0',
		'[::1]',
		'[::]',
		'[::ffff:127.0.0.1]',
		'app.localhost',
	];
	const output = await fleet.agent(
		'host',
		[
			`curl -s http://host.fleet.internal:${port}/ || echo no; echo`,
			`for host in ${spellings.join(' ')}; do curl -s --noproxy '' -m 5 http://$host:${port}/; ` +
				`curl -s --noproxy '' -p -m 5 http://$host:${port}/; curl -s -m 5 http://$host:${port}/; done; echo`,
		].join('\n'),
		'--allow',
		`network:host.fleet.internal:${port}`,
		'--because',
		'the docs',
	);
	assert.equal(output.match(/served by the host/g)?.length, 1, output);
	assert.deepEqual(hits, [`host.fleet.internal:${port}`]);
});

test("a client that asks the proxy for loopback gets the run's own", async t => {
	const fleet = new Fleet(t);
	const output = await fleet.agent(
		'relayed',
		[
			'python3 -m http.server 8123 --bind 127.0.0.1 > /dev/null 2>&1 & one=$!; ' +
				'python3 -m http.server 8124 --bind ::1 > /dev/null 2>&1 & two=$!',
			'for p in 127.0.0.1:8123 [::1]:8124; do n=0; until curl -s -o /dev/null http://$p/; do n=$((n+1)); ' +
				'[ $n -gt 200 ] && exit 9; sleep 0.1; done; done',
			'for u in localhost:8123 127.1:8123 0.0.0.0:8123 [::1]:8124 [::ffff:127.0.0.1]:8123 localhost:8124; ' +
				'do curl -s -o /dev/null -w "%{http_code} " --noproxy "" http://$u/; ' +
				'curl -s -o /dev/null -w "%{http_code} " --noproxy "" -p http://$u/; done',
			"python3 -c \"import urllib.request as u; print(u.urlopen('http://[::1]:8124/', timeout=5).status, end=' ')\"",
			'node -e "fetch(\'http://[::1]:8124/\').then(r => console.log(r.status))"',
			'curl -s --noproxy "" http://localhost:8125/; kill $one $two',
		].join('\n'),
	);
	assert.match(
		output,
		/^(?:200 ){13}200\r?\nfleet: localhost:8125 is the run's own, inside, and nothing listens there; .*host\.fleet\.internal:8125/,
	);
	assert.deepEqual(fleet.json('show', 'relayed')['denied'], []);
});

test('a program that reads no proxy variable is on the row, by the name it looked up, and one that does is not', async t => {
	const fleet = new Fleet(t);
	const output = await fleet.agent(
		'stray',
		[
			'python3 -c "import socket; socket.create_connection((\'stray.example.org\', 443))" 2>&1 | tail -n 1',
			'python3 -c "import socket; socket.create_connection((\'192.0.2.7\', 443))" 2>&1 | tail -n 1',
			'python3 -c "import socket; print(sorted({a[4][0] for a in socket.getaddrinfo(\'app.localhost\', 80)}))"',
			'curl -s http://asked.example.org/; python3 -c "import socket; ' +
				"socket.gethostbyname('asked.example.org')\" 2> /dev/null",
		].join('\n'),
	);
	// It fails as it would where there is no network at all, and at once.
	assert.match(output, /not known[^]*unreachable[^]*\['127\.0\.0\.1', '::1'\]/);
	const denied = fleet.json<{denied: Array<{target: string; because: string}>}>('show', 'stray').denied;
	assert.deepEqual(denied.map(({target}) => target).sort(), [
		'asked.example.org:80',
		'past-the-proxy',
		'stray.example.org',
	]);
	assert.match(
		denied.find(({target}) => target === 'stray.example.org')!.because,
		/reads no proxy variable \(HTTPS_PROXY\)/,
	);
	assert.deepEqual(
		fleet.json<{proposal: string[]}>('learn', 'stray').proposal,
		['asked.example.org'],
		'a grant would not help the other',
	);
});
