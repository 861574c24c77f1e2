// Makes docs/screen.svg, docs/review.svg, docs/gates.svg and docs/tour.svg, which moves: real runs in real sandboxes,
// the real screen in a pseudo-terminal.
// node --import tsx scripts/record.ts   writes the pictures, and the help and the keys into docs/
import {readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import xterm from '@xterm/headless';
import {openTerminal} from '../source/host/pty.ts';
import {keyTable} from '../source/tui/keymap.ts';
import {Fleet, program, root} from '../test/support/fleet.ts';
import {grounds, screenParts, toSvg} from './picture.ts';

const columns = 120;
const rows = 32;

/** How long each frame of the recording is shown, seconds. */
const secondsEach = 2.5;
const undo: Array<() => void> = [];
const server = http.createServer((_request, response) => response.end('ok'));
await new Promise<void>(resolve => {
	server.listen(0, '127.0.0.1', resolve);
});
const {port} = server.address() as AddressInfo;

/** What is shown one after the other, and the picture that is kept of it. */
const tour: ReadonlyArray<{readonly keys: readonly string[]; readonly name?: string}> = [
	// An answer in place; what was blocked, and for how long it would be allowed; the review; the pipeline; what happened.
	{keys: ['r']},
	{keys: ['\u001B', 'j', '+']},
	{keys: ['\u001B', '/', ...'fix', '\r']},
	{keys: ['d', 'j', 'j', 'j', 'j'], name: 'review'},
	{keys: [' ', ' ']},
	{keys: ['\u001B', 'a', 'y'], name: 'gates'},
	{keys: ['\u001B', '\u001B', '&']},
];

/** Shows one frame at a time, over and over. */
function moving(count: number): string {
	const share = 100 / count;
	return (
		`.f{opacity:0;animation:f ${count * secondsEach}s infinite;animation-delay:calc(var(--i)*${secondsEach}s)}` +
		`@keyframes f{0%,${(share - 0.01).toFixed(2)}%{opacity:1}${share.toFixed(2)}%,100%{opacity:0}}`
	);
}

try {
	const fleet = new Fleet(
		{after: (end: () => void) => undo.push(end)},
		{
			policy: 'verify: ["true"]\n',
			files: {
				'parser.js':
					"// One line of a table.\nexport function parse(text) {\n\treturn text.split(',');\n}\n\n" +
					"export function join(parts) {\n\treturn parts.join(',');\n}\n",
			},
		},
	);
	await fleet.agent(
		'fix-parser',
		'printf "// One line of a table.\\nexport function parse(text) {\\n\\treturn text.split(/[,;]/);\\n}\\n\\n' +
			"export function join(parts) {\\n\\treturn parts.join(',') + '';\\n}\\n\" > parser.js; " +
			'mkdir -p .github/workflows; echo "on: push" > .github/workflows/ci.yml; git add -A; ' +
			'git commit -qm "Parse semicolons"',
		'Split lines at semicolons, too',
	);
	fleet.must('audit', 'fix-parser');
	fleet.must('verify', 'fix-parser');
	await fleet.agent('bump-version', 'echo 2 > version; git add version; git commit -qm "Bump"', 'Bump the version');
	fleet.must('audit', 'bump-version');
	fleet.must('verify', 'bump-version');
	fleet.must('approve', 'bump-version', '--because', 'read it');
	fleet.must('merge', 'bump-version');
	fleet.start(
		'upgrade-deps',
		'echo "\\$ npm outdated"; ' +
			'for p in left pad core; do echo "  $p  1.0.$((RANDOM % 9))  2.0.0"; sleep 0.1; done; ' +
			'echo "fetching the changelog…"; ' +
			'env -u NODE_USE_ENV_PROXY node -e \'require("node:http").get(' +
			`{host: "127.0.0.1", port: 3128, path: "http://host.fleet.internal:${port}/"}, r => { ` +
			'console.log("answer: " + r.statusCode + " " + r.headers["x-fleet-refusal"]); ' +
			"process.exit(); })'; " +
			'echo "waiting for somebody to decide"; sleep 60',
		'Upgrade what is outdated',
	);
	fleet.start(
		'licence',
		'printf "Which licence?\\n  1. MIT\\n  2. Apache-2.0\\n> "; read choice; sleep 60',
		'Add a licence',
	);
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	const screen = openTerminal(
		{argv: [process.execPath, program], cwd: fleet.project, env: fleet.env},
		{columns, rows},
		{onData: bytes => terminal.write(bytes), onExit() {}},
	);
	await new Promise(resolve => {
		setTimeout(resolve, 5000);
	});
	const wait = (seconds: number) =>
		new Promise(resolve => {
			setTimeout(resolve, seconds * 1000);
		});
	const shot = () => screenParts(terminal, grounds.dark).replaceAll(/fleet\.internal:\d{5}/g, 'fleet.internal:8080 ');
	const save = (name: string, content: string, style?: string) =>
		writeFileSync(
			path.join(root, 'docs', `${name}.svg`),
			toSvg(content, {columns, rows, ground: grounds.dark, ...(style === undefined ? {} : {style})}),
		);
	screen.write('g');
	await wait(2);
	const frames = [shot()];
	save('screen', frames[0]!);
	for (const {keys, name} of tour) {
		for (const key of keys) {
			screen.write(key);
			await wait(0.6);
		}

		await wait(1.2);
		frames.push(shot());
		if (name !== undefined) {
			save(name, frames.at(-1)!);
		}
	}

	save(
		'tour',
		frames.map((content, index) => `<g class="f" style="--i:${index}">${content}</g>`).join(''),
		moving(frames.length),
	);
	screen.kill('SIGKILL');

	const write = (page: string, name: string, content: string) => {
		const file = path.join(root, 'docs', page);
		const text = readFileSync(file, 'utf8').replace(
			new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`),
			(_, before: string, after: string) => `${before}\n${content}\n\n${after}`,
		);
		writeFileSync(file, text);
	};

	write('usage.md', 'help', `\`\`\`\n${fleet.must('--help').trimEnd()}\n\`\`\``);
	write('keys.md', 'keys', keyTable());
} finally {
	server.close();
	for (const end of undo) {
		end();
	}
}

process.exit(0);
