import assert from 'node:assert/strict';
import {existsSync, globSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {pathToFileURL} from 'node:url';
import * as ansi from '@alcalzone/ansi-tokenize';
import {build, type Plugin} from 'esbuild';
import stringWidth from 'string-width';
import {isPlain} from '../../source/tui/paint/plain.ts';
import {styledCharsFromTokens, tokenize} from '../../source/tui/stand-ins/ansi-tokenize.ts';
import type {State} from '../../source/tui/state.ts';
import {screens} from './states.ts';

/* Modules of ours that the build puts in the place of packages: they do the same, and less of it. */

// Before Ink is loaded, which looks once.
process.env['FORCE_COLOR'] = '3';
const root = path.resolve(import.meta.dirname, '..', '..');
const {standIns} = (await import(pathToFileURL(path.join(root, 'scripts', 'stand-ins.mjs')).href)) as {
	standIns: Plugin;
};
const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-test-stand-ins-'));
after(() => {
	rmSync(folder, {recursive: true, force: true});
});

let made = 0;
let cut: string[] = [];
class CountedSegmenter extends Intl.Segmenter {
	constructor(...options: ConstructorParameters<typeof Intl.Segmenter>) {
		super(...options);
		made++;
	}

	override segment(text: string): Intl.Segments {
		cut.push(text);
		return super.segment(text);
	}
}

Object.assign(Intl, {Segmenter: CountedSegmenter});

/** Loads a program as the build makes it, with the stand-ins or without. */
async function load<Program>(name: string, text: string, plugins: readonly Plugin[]): Promise<Program> {
	const outdir = path.join(folder, `${name}-${plugins.length}`);
	await build({
		stdin: {contents: text, resolveDir: root, loader: 'tsx'},
		outdir,
		outExtension: {'.js': '.mjs'},
		splitting: true,
		bundle: true,
		platform: 'node',
		format: 'esm',
		jsx: 'automatic',
		plugins: [...plugins],
		define: {'process.env.DEV': '"false"'},
		external: ['react-devtools-core'],
		banner: {js: 'import {createRequire as make} from "node:module"; const require = make(import.meta.url);'},
		logLevel: 'silent',
	});
	return (await import(pathToFileURL(path.join(outdir, 'stdin.mjs')).href)) as Program;
}

const firstFrame = `export {paintFrame} from './source/tui/view.ts'; export {default as width} from 'string-width';`;
const inkFrame = `
	import {renderToString} from 'ink';
	import {Frame} from './source/tui/app.tsx';
	export const draw = state => renderToString(<Frame state={state} />, {columns: state.columns});`;

interface FirstFrame {
	paintFrame(state: State): string[];
	width(text: string, options?: object): number;
}

const {help, fleet} = screens() as {help: State; fleet: State};

test('no segmenter is made before the first frame, nor with it', async () => {
	const before = made;
	const {paintFrame, width} = await load<FirstFrame>('first', firstFrame, [standIns]);
	assert.equal(paintFrame(help).length, help.rows);
	assert.equal(made, before);
	assert.equal(width('日本'), 4);
	assert.equal(made, before + 1);

	await load('first', firstFrame, []);
	assert.equal(made, before + 2, 'the package makes none when it is loaded: its stand-in is not needed');
});

test('widths are those of the package', async () => {
	const {width} = await load<FirstFrame>('widths', firstFrame, [standIns]);
	const texts = [
		'',
		'abc',
		'─│╭ ✔ …',
		'a日本b',
		'🚀',
		'e\u0301',
		'a\tb',
		'\u001B[1;31mred\u001B[39m',
		'\u001B[1m日\u001B[22m',
	];
	for (const text of [...texts, '\u001B]8;;http://a.test\u0007link\u001B]8;;\u0007', '\u001B[2Kx']) {
		assert.equal(width(text), stringWidth(text), JSON.stringify(text));
		assert.equal(width(text, {countAnsiEscapeCodes: true}), stringWidth(text, {countAnsiEscapeCodes: true}));
	}

	for (let unit = 0; unit <= 0xff_ff; unit++) {
		const character = String.fromCharCode(unit);
		if (isPlain(character)) {
			assert.equal(stringWidth(character), 1, character);
		}
	}
});

/** The cells of a frame: a look can be written in several ways. */
function cellsOf(frame: string): string[][] {
	return frame
		.split('\n')
		.map(line =>
			ansi
				.styledCharsFromTokens(ansi.tokenize(line))
				.map(({value, styles}) => [value, ...styles.map(({code}) => code).sort()].join(' ')),
		);
}

test('Ink takes apart no line of a second frame that was in the first', async () => {
	const draws = async (plugins: readonly Plugin[]) => {
		const {draw} = await load<{draw(state: State): string}>('ink', inkFrame, plugins);
		const first = draw(help);
		cut = [];
		const second = draw(help);
		assert.equal(second, first);
		return {count: cut.length, frames: [first, draw(fleet)]};
	};

	const [ours, theirs] = [await draws([standIns]), await draws([])];
	assert.deepEqual(ours.frames.map(cellsOf), theirs.frames.map(cellsOf));
	assert.equal(ours.count, 0);
	assert.ok(theirs.count > help.rows, 'Ink keeps lines by itself: the stand-in is not needed');
});

const styled = [
	'',
	'plain text',
	'\u001B[31mred\u001B[39m and \u001B[1;4mbold\u001B[0m',
	'\u001B[mreset\u001B[38;5;200mpink\u001B[48;2;1;2;3mon\u001B[1m\u001B[2mboth\u001B[22m',
	'\u001B[31m日本\u001B[0m ─│ 🚀 e\u0301',
	'\u001B[31m\u0301mark after a sequence',
	'\u001B]8;;http://a.test\u0007link\u001B]8;;\u0007 \u001B]0;title\u0007',
	'not\u001B[2K a sequence \u001B[31',
	'two\nlines\ttab',
];

test('a text is taken apart as the package does it', () => {
	for (const text of [...styled, ...styled.flatMap(one => styled.map(other => one + other))]) {
		const expected = ansi.styledCharsFromTokens(ansi.tokenize(text));
		assert.deepEqual(styledCharsFromTokens(tokenize(text)), expected, JSON.stringify(text));
		const codes = (tokens: ansi.Token[]) => tokens.map(token => (token.type === 'char' ? token.value : token.code));
		assert.deepEqual(codes(tokenize(text)), codes(ansi.tokenize(text)), JSON.stringify(text));
		assert.deepEqual(tokenize(text, 3), ansi.tokenize(text, 3));
	}
});

test('a line is taken apart once, and a plain one without a segmenter; what is kept has an end', () => {
	const wide = '日本 is wide';
	assert.equal(tokenize(wide), tokenize(wide));
	assert.equal(styledCharsFromTokens(tokenize(wide)), styledCharsFromTokens(tokenize(wide)));
	const kept = tokenize('\u001B[35mfirst\u001B[39m');
	cut = [];
	for (let line = 0; line < 1000; line++) {
		tokenize(`\u001B[35mline ${line}\u001B[39m`);
	}

	assert.deepEqual(cut, []);
	assert.notEqual(tokenize('\u001B[35mfirst\u001B[39m'), kept);
});

test("the package behind the stand-in is Ink's own copy", () => {
	assert.ok(
		!existsSync(path.join(root, 'node_modules', 'ink', 'node_modules', '@alcalzone')),
		'bring the version in package.json to the one that Ink depends on',
	);
});

test('the program that is built has each stand-in', () => {
	const built = globSync('*.js', {cwd: path.join(root, 'dist')}).map(name =>
		readFileSync(path.join(root, 'dist', name), 'utf8'),
	);
	for (const name of ['string-width', 'ansi-tokenize', 'ink-output', 'ink-log-update']) {
		// The bundler names the file of each module above it.
		const mark = `// source/tui/stand-ins/${name}.ts\n`;
		assert.ok(
			built.some(text => text.includes(mark)),
			name,
		);
	}
});

test('the file that the first frame needs makes no copy of a module of Node for each file that imports one', () => {
	const first = readFileSync(path.join(root, 'dist', 'screen.cjs'), 'utf8');
	assert.match(first, /getBuiltinModule\("node:process"\)/);
	assert.doesNotMatch(first, /__toESM\(require\("node:(?:path|process)"\)/);
});
