import assert from 'node:assert/strict';
import {chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {after, describe, test} from 'node:test';
import type {Sandbox} from '../../source/core/seams.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {compileHolder} from '../../source/sandboxes/bubblewrap/compile.ts';
import {findTools} from '../../source/sandboxes/bubblewrap/probe.ts';
import {sandboxes} from '../../source/sandboxes/registry.ts';
import {nullSandbox, openBox, type Box} from '../support/sandbox.ts';
import {until} from '../support/fleet.ts';

/*
 * The contract of a sandbox, as in core/seams.ts. Every kind
 * passes it, and a null sandbox fails each of its negatives.
 */

type Law = {
	readonly title: string;
	/** Whether a sandbox that does nothing breaks it. */ readonly negative: boolean;
	holds(box: Box): Promise<void>;
};

const server = http.createServer((_request, response) => {
	response.end('answer');
});
await new Promise<void>(resolve => {
	server.listen(0, '127.0.0.1', resolve);
});
after(() => {
	server.close();
	server.closeAllConnections();
});
const {port} = server.address() as AddressInfo;
const url = `http://host.fleet.internal:${port}/`;
/** The same past the proxy. */
const own = `http://127.0.0.1:${port}/`;
const viaProxy =
	`env -u NODE_USE_ENV_PROXY node -e 'require("node:http").get({host: "127.0.0.1", port: 3128, path: "${url}"}, ` +
	"r => { console.log(r.statusCode); process.exit(); })'";
const direct =
	`env -u NODE_USE_ENV_PROXY node -e 'require("node:http").get("${own}", r => { console.log(r.statusCode); ` +
	`process.exit(); }).on("error", e => console.log(e.code))'`;

const laws: Law[] = [
	{
		title: 'a command runs, in its folder, with its exit code and its output',
		negative: false,
		async holds(box) {
			const {code, output} = await box.run('echo out; pwd; exit 7');
			assert.equal(code, 7);
			assert.equal(output, `out\n${box.work}`);
		},
	},
	{
		title: 'what it writes in a folder that it may write is there outside',
		negative: false,
		async holds(box) {
			await box.run('echo written > file');
			assert.equal(readFileSync(path.join(box.work, 'file'), 'utf8'), 'written\n');
		},
	},
	{
		title: 'a file of the host that was not granted is not there',
		negative: true,
		async holds(box) {
			const canary = path.join(box.folder, 'canary');
			writeFileSync(canary, 'canary-value', {mode: 0o644});
			assert.doesNotMatch((await box.run(`cat ${canary}`)).output, /canary-value/);
			assert.match((await box.run(`cat ${canary}`)).output, /No such file/);
		},
	},
	{
		title: 'nothing outside the folder can be written',
		negative: true,
		async holds(box) {
			// A folder that everybody may write, so that only the sandbox is in the way; what is the system's is only looked at.
			const outside = path.join(box.folder, 'outside');
			mkdirSync(outside);
			chmodSync(outside, 0o777);
			await box.run(`touch ${outside}/file`);
			assert.ok(!existsSync(path.join(outside, 'file')));
			for (const folder of ['/usr', '/etc', '/', '/dev', '/proc/sys/kernel']) {
				assert.notEqual((await box.run(`test -w ${folder}`)).code, 0, folder);
			}
		},
	},
	{
		title: 'the environment is what was built, also that of pid 1',
		negative: true,
		async holds(box) {
			process.env['FLEET_TEST_CANARY'] = 'leaked-value';
			try {
				assert.doesNotMatch((await box.run('env; cat /proc/*/environ')).output, /leaked-value/);
				assert.match((await box.run('tr "\\0" "\\n" < /proc/1/environ')).output, /^HOME=\/home\/agent$/m);
			} finally {
				delete process.env['FLEET_TEST_CANARY'];
			}
		},
	},
	{
		title: 'no process of the host is seen',
		negative: true,
		async holds(box) {
			assert.notEqual((await box.run(`kill -0 ${process.pid}`)).code, 0);
			const pids = (await box.run('ls /proc | grep -c "^[0-9]"')).output;
			assert.ok(Number(pids) < 8, pids);
		},
	},
	{
		title: 'every namespace is its own',
		negative: true,
		async holds(box) {
			for (const name of ['user', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'mnt']) {
				assert.notEqual(
					(await box.run(`readlink /proc/self/ns/${name}`)).output,
					readlinkSync(`/proc/self/ns/${name}`),
					name,
				);
			}
		},
	},
	{
		title: 'no capability, no new privileges, a filter, no root',
		negative: true,
		async holds(box) {
			const {output} = await box.run('cat /proc/self/status; id -u');
			for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
				assert.match(output, new RegExp(`^${name}:\\s+0+$`, 'm'));
			}

			assert.match(output, /^NoNewPrivs:\s+1$/m);
			assert.match(output, /^Seccomp:\s+2$/m);
			assert.match(output, /\n1000$/);
		},
	},
	{
		title: 'limits are set',
		negative: true,
		async holds(box) {
			const {output} = await box.run('cat /proc/self/limits');
			assert.match(output, /^Max core file size\s+0\s+0/m);
			assert.doesNotMatch(output, /^Max (processes|file size|data size|open files)\s+unlimited/m);
			const processes = Number(/^Max processes\s+(\d+)/m.exec(output)?.[1]);
			assert.ok(processes <= 1024);
		},
	},
	{
		title: 'the network is the proxy and nothing else',
		negative: true,
		async holds(box) {
			box.rules = [];
			assert.equal((await box.run(viaProxy)).output, '403');
			assert.notEqual((await box.run(direct)).output.split('\n').at(-1), '200');
			assert.equal((await box.run('tail -n +3 /proc/net/dev | grep -vc "lo:"')).output, '0');
		},
	},
	{
		title: 'a grant acts on the next request, and its end on the one after',
		negative: false,
		async holds(box) {
			const rule = {host: 'host.fleet.internal', port, source: 'test'};
			box.rules = [rule];
			assert.equal((await box.run(viaProxy)).output, '200');
			box.rules = [];
			assert.equal((await box.run(viaProxy)).output, '403');
		},
	},
	{
		title: 'alone means alone: not even the proxy is there',
		negative: true,
		async holds(box) {
			assert.match((await box.run(direct, {network: false})).output, /ECONNREFUSED|ENETUNREACH/);
			assert.doesNotMatch((await box.run(viaProxy, {network: false})).output, /^\d/);
		},
	},
	{
		title: 'only stdin, stdout and stderr are open',
		negative: false,
		async holds(box) {
			const {output} = await box.run('for d in /proc/self/fd/*; do echo "${d##*/}"; done');
			assert.deepEqual(
				output
					.split('\n')
					.map(Number)
					.filter(descriptor => descriptor > 3),
				[],
			);
		},
	},
	// That it is not so without a sandbox is shown by test/attacks/surviving-daemon: here it would take the whole wait.
	{
		title: 'what it starts dies with it',
		negative: false,
		async holds(box) {
			const name = `fleet-survivor-${Math.floor(Math.random() * 1e9)}`;
			await box.run(`cp "$(command -v sleep)" ${name} 2>/dev/null; setsid ./${name} 60 > /dev/null 2>&1 &`);
			const alive = () => {
				try {
					return readdirProc().some(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name));
				} catch {
					return false;
				}
			};

			const wasLeft = await until(() => !alive(), 'the survivor is gone').then(
				() => false,
				() => true,
			);
			if (wasLeft) {
				for (const pid of readdirProc()) {
					try {
						if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name)) {
							process.kill(Number(pid), 'SIGKILL');
						}
					} catch {
						// It ended since its number was listed.
					}
				}
			}

			assert.equal(wasLeft, false);
		},
	},
];

function readdirProc(): string[] {
	return process
		.getBuiltinModule('node:fs')
		.readdirSync('/proc')
		.filter(name => /^\d+$/.test(name));
}

async function boxOf(sandbox: Sandbox): Promise<Box> {
	return openBox({sandbox});
}

for (const sandbox of sandboxes) {
	describe(`${sandbox.id} keeps the contract of a sandbox`, async () => {
		for (const law of laws) {
			test(law.title, async () => {
				const box = await boxOf(sandbox);
				await law.holds(box);
				await box.close();
			});
		}
	});
}

test('without Perl, Node keeps the namespace', async () => {
	const box = await boxOf({
		...bubblewrap,
		prepare(plan, folder) {
			const prepared = bubblewrap.prepare(plan, folder);
			return {
				...prepared,
				holder: compileHolder(plan, {
					tools: findTools().tools,
					root: process.getuid?.() === 0,
					stage: '/run/fleet-stage',
					granted: '',
					empty: '',
					perl: undefined,
					node: process.execPath,
					maskedProc: [],
					ofAccount: {counts: {}, limits: {}},
					files: {seccomp: '', entered: '', alone: ''},
				}),
			};
		},
	});
	assert.equal((await box.run(viaProxy)).output, '403');
	await box.close();
});

describe('a null sandbox does not', async () => {
	for (const law of laws.filter(law => law.negative)) {
		test(law.title, async () => {
			const box = await boxOf(nullSandbox);
			const broken = await law.holds(box).then(
				() => false,
				(error: unknown) => error instanceof assert.AssertionError,
			);
			await box.close();
			assert.ok(broken, 'the null sandbox passed');
		});
	}
});
