import assert from 'node:assert/strict';
import {test} from 'node:test';
import {describeServer, parseServers, proposedServersPath, referencesOf} from '../../../source/core/mcp/definition.ts';
import {Refusal} from '../../../source/core/refusal.ts';

const parse = (text: string) => parseServers(text, proposedServersPath);

test('a list of servers', () => {
	assert.deepEqual(parse(''), new Map());
	const servers = parse(
		'github:\n  command: [mcp-github, --stdio]\n  network: [api.github.com]\n  files: [{path: ~/notes}]\n' +
			'  secrets: {GITHUB_TOKEN: user/github}\n  tools: [search_issues]\n  timeout: 2m\n  limits: {result: 4MiB}\n' +
			'linear:\n  url: https://mcp.linear.app/mcp\n  login:\n    token: https://api.linear.app/oauth/token\n' +
			'    client: abc\n    refresh: fleet://user/linear\n',
	);
	assert.ok(!(servers instanceof Refusal));
	const github = servers.get('github')!;
	assert.deepEqual(github.command, ['mcp-github', '--stdio']);
	assert.deepEqual(github.files, [{path: '~/notes', mode: 'read'}]);
	assert.equal(github.timeout, 120_000);
	assert.equal(github.limits.result, 4 * 1024 ** 2);
	assert.deepEqual(github.secrets, {GITHUB_TOKEN: 'fleet://user/github'});
	assert.deepEqual(referencesOf(servers.get('linear')!), ['fleet://user/linear']);
	assert.deepEqual(describeServer(github), [
		'runs mcp-github --stdio',
		'network: api.github.com',
		'files: ~/notes (read)',
		'secret: fleet://user/github as GITHUB_TOKEN',
		'tools: search_issues',
	]);
});

test('a wrong list is an error with a line number', () => {
	const cases: Array<[string, number, RegExp]> = [
		['a:\n  comand: [x]\n', 2, /"comand" is not a key/],
		['A:\n  command: [x]\n', 1, /named/],
		['a:\n  network: [x.test]\n', 1, /either command or url/],
		['a:\n  command: [x]\n  url: https://x.test\n', 1, /either command or url/],
		['a:\n  command: x\n', 2, /list/],
		['a:\n  command: []\n', 2, /empty/],
		['a:\n  command: ["a\\nb"]\n', 2, /not seen/],
		['a:\n  url: http://x.test/\n', 2, /https/],
		['a:\n  url: https://me:pass@x.test/\n', 2, /no login/],
		['a:\n  url: https://x.test/\n  files: [{path: /a}]\n', 1, /no files/],
		['a:\n  command: [x]\n  network: ["http://x"]\n', 3, /HOST/],
		['a:\n  command: [x]\n  files: [{path: a}]\n', 3, /begins with/],
		['a:\n  command: [x]\n  secrets: {A-B: user/x}\n', 1, /variables/],
		['a:\n  command: [x]\n  secrets: {TOKEN: sk-live-123}\n', 3, /fleet:\/\/user/],
		['a:\n  url: https://x.test/\n  secrets: {host: user/x}\n', 1, /headers/],
		['a:\n  command: [x]\n  timeout: 60\n', 3, /60s/],
		['a:\n  command: [x]\n  login: {token: https://x.test/t, client: c, refresh: user/r}\n', 1, /login is for/],
	];
	for (const [text, line, pattern] of cases) {
		const result = parse(text);
		assert.ok(result instanceof Refusal, text);
		assert.match(result.because, new RegExp(`^\\.fleet/mcp\\.yaml:${line}: `), `${text} → ${result.because}`);
		assert.match(result.because, pattern, text);
	}
});
