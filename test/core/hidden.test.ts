import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseStatement, statementText} from '../../source/core/statement/statement.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {hiddenText, holdsHidden, markHidden} from '../../source/core/text/hidden.ts';
import {printable} from '../../source/core/names.ts';
import {escapeControls, escapeLine} from '../../source/core/text/escape-controls.ts';
import {flagsOf} from '../../source/core/review/flags.ts';

const tags = (text: string) =>
	[...text].map(character => String.fromCodePoint(0xe0000 + character.codePointAt(0)!)).join('');

/** What hides something, and which characters of it. */
const hiding: Array<[string, string]> = [
	[`a${tags('Hi')}b`, '\u{E0048}\u{E0069}'],
	['\u{E0001}', '\u{E0001}'],
	['a\u{13430}\u{13437}', '\u{13430}\u{13437}'],
	['a\uFE0Fb', '\uFE0F'],
	['a\uFE00', '\uFE00'],
	['\u845B\u{E0100}', '\u{E0100}'],
	['👍\u{E0170}\u{E0171}', '\u{E0170}\u{E0171}'],
	['👍\uFE0F\uFE0F', '\uFE0F'],
	['👍\uFE01', '\uFE01'],
	['1\uFE0F', '\uFE0F'],
	['#\uFE0F ', '\uFE0F'],
	['so\u00ADft', '\u00AD'],
	['a\u3164b', '\u3164'],
	['\u115F\u1160', '\u115F\u1160'],
	['\uFFA0', '\uFFA0'],
	['a\u200Bb', '\u200B'],
	['a\u200Cb', '\u200C'],
	['a\u200Db', '\u200D'],
	['👍\u200D', '\u200D'],
	['👍\u200Da', '\u200D'],
	['\u200D👍', '\u200D'],
	['👍\u200D\u200D👍', '\u200D\u200D'],
	['a\u202Eb', '\u202E'],
	['a\u2066b\u2069', '\u2066\u2069'],
	['\u061C', '\u061C'],
	['\uFFF9a\uFFFAb\uFFFB', '\uFFF9\uFFFA\uFFFB'],
	['a\u180Eb', '\u180E'],
	['a\u2060b\u2063', '\u2060\u2063'],
	['\u034F', '\u034F'],
	['\u17B4\u17B5', '\u17B4\u17B5'],
	['\u{1D173}', '\u{1D173}'],
	['a\uFEFFb', '\uFEFF'],
	['a\u2800b', '\u2800'],
	['\u2028', '\u2028'],
	[`🏴${tags('gbeng')}`, tags('gbeng')],
	[`🏴${tags('ignore')}\u{E007F}`, `${tags('ignore')}\u{E007F}`],
	[`👍${tags('gbeng')}\u{E007F}`, `${tags('gbeng')}\u{E007F}`],
];

/** What is written with them and hides nothing. */
const honest = [
	'plain',
	'Zürich 日本語 한국어 ½ …',
	'👍',
	'👍🏽',
	'❤️',
	'❤︎',
	'©️ ®️ ™️ ↔️ ☀️',
	'👨‍👩‍👧‍👦',
	'👩🏽‍💻',
	'🏳️‍🌈',
	'❤️‍🔥',
	'🧑🏿‍🚀 and 👩‍❤️‍💋‍👨',
	'🇩🇪🇫🇷',
	'1️⃣ #️⃣ *⃣',
	`🏴${tags('gbeng')}\u{E007F}`,
	`🏴${tags('gbsct')}\u{E007F}🏴${tags('gbwls')}\u{E007F}`,
	'می‌خواهم',
	'क्‍ष',
	'ශ්‍රී',
	'⠋⠙\u2800⠸',
	'a\u00A0b\u3000c',
	'e\u0301',
];

test('characters that are not seen are marked, and those that writing needs are not', () => {
	for (const [text, found] of hiding) {
		let seen = '';
		const marked = markHidden(text, codePoint => {
			seen += String.fromCodePoint(codePoint);
			return '';
		});
		assert.equal(seen, found, JSON.stringify(text));
		assert.equal(holdsHidden(text), true);
		assert.equal(holdsHidden(marked), false);
		assert.match(hiddenText(text)!, new RegExp(`^${[...found].length} invisible character.* \\(U\\+`));
		assert.equal(holdsHidden(escapeControls(text)), false);
		assert.ok(escapeLine(text).includes('\u00B7'), JSON.stringify(text));
		assert.ok(!holdsHidden(printable(text)) && printable(text).includes('?'));
	}

	for (const text of honest) {
		assert.equal(holdsHidden(text), false, text);
		assert.equal(hiddenText(text), undefined);
		assert.equal(
			markHidden(text, () => '!'),
			text,
		);
		assert.ok(!escapeControls(text).includes('\u00B7'), text);
	}

	assert.equal(
		escapeControls('👨‍👩‍👧'),
		'👨👩👧',
		'side by side: terminals do not agree how wide they are when they are joined',
	);
	assert.equal(escapeControls('می‌خواهم'), 'می‌خواهم');
});

test('a review marks and flags what is not seen, in lines and in names, and nothing else', () => {
	const review = (line: string, name = 'a.md') =>
		parseDiff(
			`diff --git a/${name} b/${name}\nindex 1..2 100644\n--- a/${name}\n+++ b/${name}\n@@ -4,1 +4,2 @@\n plain\n` +
				`+${line}\n`,
		)[0]!;
	for (const [text] of hiding.filter(([text]) => !text.includes('\n'))) {
		const file = review(text);
		assert.deepEqual(
			flagsOf(file).map(({id, text}) => [id, text]),
			[['control', 'control or invisible characters: line 5']],
			JSON.stringify(text),
		);
		assert.match(file.hunks[0]!.lines[1]!.text, /<U\+[\dA-F]{4,6}>/);
		assert.equal(holdsHidden(file.hunks[0]!.lines[1]!.text), false);
		assert.match(
			flagsOf(review('plain', `a${text}.md`))
				.map(flag => flag.text)
				.join(),
			/invisible characters in its name/,
			JSON.stringify(text),
		);
	}

	for (const text of honest) {
		assert.deepEqual(flagsOf(review(text)), [], text);
		assert.ok(!review(text).hunks[0]!.lines[1]!.text.includes('<U+'), text);
		assert.deepEqual(flagsOf(review('plain', `a ${text}.txt`)), [], text);
	}

	assert.deepEqual(
		flagsOf(review(`do ${tags('evil')}`, 'AGENTS.md'))
			.map(flag => flag.id)
			.toSorted(),
		['agent', 'control'],
	);
	const marked = parseDiff(
		'diff --git a/a.cs b/a.cs\nindex 1..2 100644\n--- a/a.cs\n+++ b/a.cs\n@@ -1,1 +1,1 @@\n-\uFEFFusing A;\n' +
			'+\uFEFFusing B;\n',
	)[0]!;
	assert.deepEqual(
		[flagsOf(marked), marked.hunks[0]!.lines[1]!.text],
		[[], '<U+FEFF>using B;'],
		'a byte order mark at the beginning of a file is shown and no alarm',
	);
});

test('what is signed reads as what it is', () => {
	const name = 'a'.repeat(40);
	const statement = {
		decision: 'approve' as const,
		run: 'r',
		target: 'refs/heads/main',
		base: name,
		head: name,
		tree: name,
		policy: 'none',
		people: 'none',
		verify: 'v',
		audit: 'none',
		viewed: '',
		requester: '',
		by: 'ada',
		at: '2026-01-01T00:00:00.000Z',
		until: '2026-01-02T00:00:00.000Z',
		nonce: '1',
		because: `read it\u202E${tags('x')} 👍🏽`,
	};
	const text = statementText(statement);
	assert.ok(text.includes(String.raw`"because":"read it\u202e\udb40\udc78 👍🏽"`), text);
	assert.equal(holdsHidden(text), false);
	assert.deepEqual(parseStatement(text), statement);
});
