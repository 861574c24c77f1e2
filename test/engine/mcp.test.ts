import assert from 'node:assert/strict';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {everything, leftOut, sdkFolder, serversFolder} from '../support/mcp.ts';
import {serveTls, world} from '../support/tls.ts';

/* Servers outside, by the verbs as a person types them: in sandboxes of their own, for runs that are given them. */

const options = {skip: leftOut};

/** Programs of these packages take their time to start where the machine is busy, milliseconds. */
const patience = 120_000;

/** A client inside, made with the SDK, that says what came of each step. */
const client = `
const base = ${JSON.stringify(`${sdkFolder}/client/`)};
const {Client} = await import(base + 'index.js');
const {StreamableHTTPClientTransport} = await import(base + 'streamableHttp.js');
const [name, ...steps] = process.argv.slice(2);
const client = new Client({name: 'inside', version: '1'});
try {
	await client.connect(new StreamableHTTPClientTransport(new URL('http://127.0.0.1:3128/mcp/' + name)), {timeout: 120_000});
	for (const step of steps) {
		const [tool, given = '{}'] = step.split('=');
		if (tool === 'list') {
			console.log('tools: ' + (await client.listTools({}, {timeout: 120_000})).tools.map(({name}) => name).join(' '));
		} else {
			const {content, isError} = await client.callTool({name: tool, arguments: JSON.parse(given)}, undefined, {timeout: 120_000});
			console.log(tool + (isError ? ' failed: ' : ': ') + content[0].text);
		}
	}
} catch (error) {
	console.log('error: ' + error.message);
}
process.exit(0);
`;

/** A server that says what it sees, made with the SDK. */
const spy = `
const base = ${JSON.stringify(`${sdkFolder}/server/`)};
const {McpServer} = await import(base + 'mcp.js');
const {StdioServerTransport} = await import(base + 'stdio.js');
const fs = await import('node:fs');
const server = new McpServer({name: 'spy', version: '1'});
const readOnly = {annotations: {readOnlyHint: true}};
const say = text => ({content: [{type: 'text', text}]});
const attempt = work => { try { return work(); } catch (error) { return error.code ?? error.message; } };
server.registerTool('look', readOnly, () => say(JSON.stringify({
	home: attempt(() => fs.readdirSync(process.env.HOME)),
	project: attempt(() => fs.readFileSync(process.env.PROJECT_FILE ?? '/nowhere', 'utf8')),
	uid: process.getuid(),
	token: process.env.API_TOKEN,
	run: Object.keys(process.env).filter(name => name.startsWith('FLEET')),
})));
server.registerTool('fetch', readOnly, async () => {
	const answer = await fetch(process.argv[2], {headers: {authorization: 'Bearer ' + process.env.API_TOKEN}})
		.then(async response => response.status + ' ' + await response.text(), error => error.cause?.message ?? error.message);
	return say(answer);
});
server.registerTool('wait', readOnly, async () => {
	await new Promise(resolve => { setTimeout(resolve, 60_000); });
	return say('waited');
});
await server.connect(new StdioServerTransport());
`;

function folderFor(t: TestContext, files: Record<string, string>): string {
	const folder = mkdtempSync('/var/tmp/fleet-mcp-test-');
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	process.getBuiltinModule('node:fs').chmodSync(folder, 0o755);
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(path.join(folder, name), content, {mode: 0o644});
	}

	return folder;
}

/** Processes whose command line names a text. */
function processesOf(text: string): number {
	return readdirSync('/proc').filter(id => {
		try {
			return (
				/^\d+$/.test(id) && Number(id) !== process.pid && readFileSync(`/proc/${id}/cmdline`, 'latin1').includes(text)
			);
		} catch {
			return false;
		}
	}).length;
}

/** Runs the client in a run that is given a server. @returns what it wrote */
async function runClient(fleet: Fleet, name: string, steps: readonly string[]): Promise<string> {
	const quoted = steps.map(step => `'${step}'`).join(' ');
	const given = ['--allow', `mcp:${steps[0]}`, '--allow', `files:${serversFolder}`, '--because', 'test'];
	fleet.start(name, `node client.mjs ${quoted}`, ...given);
	await until(() => fleet.stage(name) === 'stopped', `${name} ends`, patience);
	return fleet.must('logs', name);
}

test('a server of the person runs outside, and a run calls what it may', options, async t => {
	const fleet = new Fleet(t, {files: {'client.mjs': client}});
	assert.match(fleet.must('mcp', 'add', 'every', '--files', serversFolder, '--', ...everything), /every is there/);
	assert.equal(fleet.run(['mcp', 'add', 'every', '--', 'x']).code, 2);
	const [listed] = fleet.json<Array<Record<string, any>>>('mcp', 'list');
	assert.deepEqual(listed!['command'], everything);
	const told = await runClient(fleet, 'calls', [
		'every',
		'list',
		'echo={"message":"hello"}',
		'toggle-simulated-logging',
	]);
	assert.match(told, /tools: echo .*get-sum/);
	assert.doesNotMatch(told, /tools: .*toggle-simulated-logging/);
	assert.match(told, /echo: Echo: hello/);
	assert.match(told, /error: .*toggle-simulated-logging is not called: it is not allowed/);
	const lines = fleet
		.json<Array<Record<string, any>>>('journal', 'calls')
		.filter(({type}) => type === 'mcp.called')
		.map(({server, tool, outcome}) => `${server} ${tool} ${outcome}`);
	assert.deepEqual(lines, ['every echo answered', 'every toggle-simulated-logging refused']);
	assert.doesNotMatch(JSON.stringify(fleet.json('journal', 'calls').slice(1)), /hello/, 'no argument, no answer');
	assert.match(fleet.must('activity'), /called echo of mcp:every/);

	// One that a person allows by name, as it is now.
	const tools = fleet.json('mcp', 'tools', 'every', '--allow', 'toggle-simulated-logging');
	assert.equal(
		tools['tools'].find((tool: Record<string, any>) => tool['name'] === 'toggle-simulated-logging').allowed,
		true,
	);
	assert.match(await runClient(fleet, 'again', ['every', 'list']), /tools: .*toggle-simulated-logging/);
	assert.equal(processesOf('server-everything'), 0, 'a server ends with the run');
	assert.match(fleet.must('mcp', 'remove', 'every'), /removed/);
	assert.match(fleet.must('mcp', 'list'), /no MCP servers/);
	const refused = fleet.run(['run', '--allow', 'mcp:every', '--because', 'x', '--', 'true']);
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /there is no MCP server "every"/);
});

test('without the grant nothing answers, and the name of another is not it', options, async t => {
	const fleet = new Fleet(t);
	fleet.must('mcp', 'add', 'every', '--files', serversFolder, '--', ...everything);
	const ask = `curl -s -o /dev/null -w '%{http_code}\\n' -X POST -H 'content-type: application/json' -d '{}' http://127.0.0.1:3128/mcp/every`;
	assert.match(await fleet.agent('none', ask), /403/);
	assert.equal(processesOf('server-everything'), 0);
});

test("a project's servers are approved as they are, and again when they change", options, async t => {
	const definition = (tools: string) =>
		`every:\n  command: ${JSON.stringify(everything)}\n  files: [{path: ${serversFolder}}]\n  tools: [${tools}]\n`;
	const fleet = new Fleet(t, {files: {'client.mjs': client, '.fleet/mcp.yaml': definition('echo')}});
	const start = ['run', '--name', 'one', '--allow', 'mcp:every', '--because', 'x', '--', 'true'];
	const refused = fleet.run(start);
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /nobody approved it as it is[^]*fleet mcp approve every/);
	assert.equal(fleet.run(['mcp', 'tools', 'every']).code, 2, 'it is not started to be looked at');
	assert.match(fleet.must('mcp', 'list'), /not approved/);
	assert.match(fleet.run(['mcp', 'approve', 'every']).stderr, /there is nobody to ask/);
	assert.match(fleet.must('mcp', 'approve', 'every', '--yes'), /is approved/);
	assert.match(await runClient(fleet, 'two', ['every', 'list', 'echo={"message":"x"}']), /tools: echo\n[^]*Echo: x/);

	writeFileSync(path.join(fleet.project, '.fleet/mcp.yaml'), definition('echo, get-env'));
	fleet.git('commit', '--quiet', '--all', '--message=more');
	assert.match(fleet.run(start).stderr, /nobody approved it as it is/);
	writeFileSync(path.join(fleet.project, '.fleet/mcp.yaml'), 'every:\n  comand: [x]\n');
	fleet.git('commit', '--quiet', '--all', '--message=wrong');
	assert.match(fleet.run(start).stderr, /\.fleet\/mcp\.yaml:2: "comand" is not a key here/);

	// The person's own comes before a project's of the same name.
	writeFileSync(path.join(fleet.project, '.fleet/mcp.yaml'), 'every:\n  command: [sh, -c, "touch /tmp/x"]\n');
	fleet.git('commit', '--quiet', '--all', '--message=shadow');
	fleet.must('mcp', 'add', 'every', '--files', serversFolder, '--', ...everything);
	assert.match(fleet.must('mcp', 'list'), /hidden by yours/);
	assert.match(await runClient(fleet, 'own', ['every', 'echo={"message":"mine"}']), /Echo: mine/);
});

test('a server sees its own files, hosts and pointer, and nothing of the run', options, async t => {
	const value = 'sk-live-Q7zW3kP9vT2mX5bN8cR1';
	const got: string[] = [];
	const port = await serveTls(t, (request, response) => {
		got.push(request.headers.authorization ?? '');
		response.end(`hello ${request.headers.authorization}`);
	});
	const folder = folderFor(t, {'server.mjs': spy});
	const fleet = new Fleet(t, {files: {'client.mjs': client}});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	Object.assign(fleet.env, {NODE_EXTRA_CA_CERTS: ca, SPY_TOKEN: value});
	fleet.must('secret', 'add', 'spy', '--user', '--from', 'env:SPY_TOKEN', '--host', `host.fleet.internal:${port}`);
	fleet.must(
		'mcp',
		'add',
		'spy',
		'--files',
		folder,
		'--files',
		serversFolder,
		'--secret',
		'API_TOKEN=user/spy',
		'--',
		'env',
		`PROJECT_FILE=${path.join(fleet.project, 'a.txt')}`,
		'node',
		path.join(folder, 'server.mjs'),
		`https://host.fleet.internal:${port}/`,
	);
	const told = await runClient(fleet, 'spied', ['spy', 'look', 'fetch']);
	const seen = JSON.parse(/look: (.*)/.exec(told)![1]!) as Record<string, any>;
	assert.deepEqual(seen['home'], [], 'a HOME of its own');
	assert.equal(seen['project'], 'ENOENT', 'no file of the project');
	assert.notEqual(seen['token'], value);
	assert.equal(got[0], `Bearer ${value}`, 'the value came to the host');
	assert.match(told, /fetch: 200 hello Bearer \S+/);
	assert.ok(!told.includes(value), 'and not back');
	assert.match(told, /fetch: 200 hello Bearer \*+|fetch: 200 hello Bearer [^\s]*[^\w-]/);
	const files = readdirSync(fleet.env['FLEET_HOME']!, {recursive: true, withFileTypes: true}).filter(entry =>
		entry.isFile(),
	);
	for (const file of files) {
		const place = path.join(file.parentPath, file.name);
		assert.ok(!readFileSync(place, 'latin1').includes(value), place);
	}
});

test('a grant while the run goes on, and a revoke in the middle of a call', options, async t => {
	const folder = folderFor(t, {'server.mjs': spy});
	const fleet = new Fleet(t, {files: {'client.mjs': client}});
	fleet.must(
		'mcp',
		'add',
		'spy',
		'--files',
		folder,
		'--files',
		serversFolder,
		'--',
		'node',
		path.join(folder, 'server.mjs'),
		'x',
	);
	fleet.start(
		'live',
		'while :; do node client.mjs spy list wait; echo again; sleep 0.2; done',
		'--allow',
		`files:${serversFolder}`,
		'--because',
		'test',
	);
	const output = () => readFileSync(fleet.context().paths.run('live').output, 'utf8');
	await until(() => output().includes('is not turned on for this run'), 'it is refused', patience);
	assert.match(
		fleet.must('allow', 'live', 'mcp:spy', '--because', 'now'),
		/its agent reads its servers when it starts/,
	);
	await until(() => /tools: look fetch wait/.test(output()), 'it is there');
	await until(() => processesOf(path.join(folder, 'server.mjs')) > 0, 'the server runs', patience);
	const before = output().length;
	await new Promise(resolve => {
		setTimeout(resolve, 1000);
	});
	assert.match(fleet.must('revoke', 'live', 'mcp:spy'), /connection/);
	await until(
		() => output().slice(before).includes('taken back') || output().slice(before).includes('error:'),
		'the call ends',
	);
	await until(() => processesOf(path.join(folder, 'server.mjs')) === 0, 'the server is gone', patience);
	assert.ok(
		fleet
			.json<Array<Record<string, any>>>('journal', 'live')
			.some(({type, tool, outcome}) => type === 'mcp.called' && tool === 'wait' && outcome === 'cut'),
	);

	// Paused, it has no way there either.
	fleet.must('allow', 'live', 'mcp:spy', '--because', 'once more');
	await until(() => processesOf(path.join(folder, 'server.mjs')) > 0, 'the server runs again', patience);
	fleet.must('pause', 'live');
	await until(
		() => processesOf(path.join(folder, 'server.mjs')) === 0,
		'the server is gone while it is paused',
		patience,
	);
	fleet.must('stop', 'live');
});
