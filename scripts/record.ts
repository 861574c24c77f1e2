// Makes docs/screen.svg, docs/review.svg and docs/gates.svg: real
// runs in real sandboxes, the real screen in a pseudo-terminal.
// node --import tsx scripts/record.ts   writes the pictures, and the help and the keys into docs/
import {readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import xterm from '@xterm/headless';
import {openTerminal} from '../source/host/pty.ts';
import {keyTable} from '../source/tui/keymap.ts';
import {Fleet, program, root} from '../test/support/fleet.ts';

const columns = 100;
const rows = 26;
const palette = [
	'#1c1f26',
	'#e06c75',
	'#98c379',
	'#e5c07b',
	'#61afef',
	'#c678dd',
	'#56b6c2',
	'#c8ccd4',
	'#5c6370',
	'#e06c75',
	'#98c379',
	'#e5c07b',
	'#61afef',
	'#c678dd',
	'#56b6c2',
	'#ffffff',
];
const undo: Array<() => void> = [];
const server = http.createServer((_request, response) => response.end('ok'));
await new Promise<void>(resolve => {
	server.listen(0, '127.0.0.1', resolve);
});
const {port} = server.address() as AddressInfo;

/** One of the 256 colours. */
function colourOf(number: number): string {
	if (number < 16) {
		return palette[number]!;
	}

	const levels = [0, 95, 135, 175, 215, 255];
	const parts =
		number >= 232
			? [8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)]
			: [
					levels[Math.floor((number - 16) / 36)]!,
					levels[Math.floor((number - 16) / 6) % 6]!,
					levels[(number - 16) % 6]!,
				];
	return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`;
}

function escape(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function toSvg(terminal: InstanceType<typeof xterm.Terminal>): string {
	const [width, height] = [8.4, 18];
	const parts: string[] = [];
	for (let row = 0; row < rows; row++) {
		const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)!;
		let column = 0;
		while (column < columns) {
			const cell = line.getCell(column)!;
			const style = (other: typeof cell) =>
				`${other.isBgDefault() ? -1 : other.getBgColor()} ${other.isInverse()} ${other.isBold()} ${other.isDim()} ` +
				`${other.isUnderline()} ${other.isFgDefault() ? -1 : other.getFgColor()}`;
			const own = style(cell);
			let text = '';
			const start = column;
			while (column < columns && style(line.getCell(column)!) === own) {
				text += line.getCell(column)!.getChars() || ' ';
				column++;
			}

			const colour = cell.isFgDefault() ? palette[7]! : colourOf(cell.getFgColor());
			if (cell.isInverse() || !cell.isBgDefault()) {
				parts.push(
					`<rect x="${(start * width + 10).toFixed(1)}" y="${row * height + 10}" ` +
						`width="${((column - start) * width).toFixed(1)}" height="${height}" ` +
						`fill="${cell.isInverse() ? colour : colourOf(cell.getBgColor())}"/>`,
				);
			}

			if (cell.isUnderline()) {
				parts.push(
					`<rect x="${(start * width + 10).toFixed(1)}" y="${row * height + 27}" ` +
						`width="${((column - start) * width).toFixed(1)}" height="1" fill="${colour}" opacity="0.6"/>`,
				);
			}

			if (text.trim() !== '') {
				const bold = cell.isBold() ? ' font-weight="bold"' : '';
				const dim = cell.isDim() ? ' opacity="0.6"' : '';
				parts.push(
					`<text x="${(start * width + 10).toFixed(1)}" y="${row * height + 23}" ` +
						`fill="${cell.isInverse() ? palette[0] : colour}"${bold}${dim} xml:space="preserve" ` +
						`textLength="${(text.length * width).toFixed(1)}">${escape(text)}</text>`,
				);
			}
		}
	}

	return (
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width + 20} ${rows * height + 20}" ` +
		'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">' +
		`<rect width="100%" height="100%" rx="8" fill="${palette[0]}"/>${parts.join('')}</svg>\n`
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
	);
	fleet.must('audit', 'fix-parser');
	fleet.must('verify', 'fix-parser');
	await fleet.agent('bump-version', 'echo 2 > version; git add version; git commit -qm "Bump"');
	fleet.must('audit', 'bump-version');
	fleet.must('verify', 'bump-version');
	fleet.must('approve', 'bump-version');
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
	);
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	const screen = openTerminal(
		{argv: [process.execPath, program], cwd: fleet.project, env: fleet.env},
		{columns, rows},
		{onData: bytes => terminal.write(bytes), onExit() {}},
	);
	await new Promise(resolve => {
		setTimeout(resolve, 3000);
	});
	writeFileSync(
		path.join(root, 'docs', 'screen.svg'),
		toSvg(terminal).replaceAll(/fleet\.internal:\d{5}/g, 'fleet.internal:8080 '),
	);
	for (const [name, keys] of [
		['review', ['G', 'd', 'j', 'j', 'j', 'j']],
		['gates', ['\u001B', 'a', 'y']],
	] as const) {
		for (const key of keys) {
			screen.write(key);
			await new Promise(resolve => {
				setTimeout(resolve, 1200);
			});
		}

		writeFileSync(path.join(root, 'docs', `${name}.svg`), toSvg(terminal));
	}

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
