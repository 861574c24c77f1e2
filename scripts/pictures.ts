// Every screen as a picture, at 80, 120 and 200 columns, dark and light, on one page to look through:
// npm run pictures, then open pictures/index.html
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import xterm from '@xterm/headless';
import {paintFrame} from '../source/tui/view.ts';
import {screens} from '../test/tui/states.ts';
import {grounds, screenParts, toSvg} from './picture.ts';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'pictures');
const sizes = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
] as const;

rmSync(folder, {recursive: true, force: true});
mkdirSync(folder);
const sections: string[] = [];
let count = 0;
for (const [name, state] of Object.entries(screens())) {
	const pictures: string[] = [];
	for (const {columns, rows} of sizes) {
		for (const theme of ['dark', 'light'] as const) {
			const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
			const frame = paintFrame({...state, columns, rows, theme}).join('\r\n');
			await new Promise<void>(resolve => {
				terminal.write(frame, resolve);
			});
			const file = `${name}-${columns}-${theme}.svg`;
			const ground = grounds[theme];
			writeFileSync(path.join(folder, file), toSvg(screenParts(terminal, ground), {columns, rows, ground}));
			pictures.push(`<figure><img src="${file}" width="${columns * 6}"><figcaption>${file}</figcaption></figure>`);
			terminal.dispose();
			count++;
		}
	}

	sections.push(`<h2>${name}</h2>${pictures.join('')}`);
}

writeFileSync(
	path.join(folder, 'index.html'),
	'<!doctype html><meta charset="utf-8"><title>Screens</title>' +
		'<style>body{font-family:sans-serif;background:#888}figure{display:inline-block;margin:8px}</style>' +
		sections.join('\n'),
);
process.stdout.write(`${count} pictures: ${path.join(folder, 'index.html')}\n`);
