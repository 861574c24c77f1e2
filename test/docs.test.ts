import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {appendFileSync, cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {root} from './support/fleet.ts';

function temporary(t: TestContext): string {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-docs-'));
	t.after(() => rmSync(folder, {recursive: true}));
	return folder;
}

function build(...argv: string[]) {
	return spawnSync(process.execPath, [path.join(root, 'scripts', 'docs.mjs'), ...argv], {encoding: 'utf8'});
}

const sources = () =>
	['readme.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].concat(
		globSync(['docs/*.md', 'docs/decisions/*.md'], {cwd: root}),
	);

/** The documents in a folder of their own, where a test may change them. */
function copy(t: TestContext): string {
	const folder = temporary(t);
	for (const file of sources()) {
		cpSync(path.join(root, file), path.join(folder, file));
	}

	for (const file of [...globSync('docs/*.svg', {cwd: root}), 'license']) {
		cpSync(path.join(root, file), path.join(folder, file));
	}

	return folder;
}

test('the site has every page, no broken link, and needs no network', t => {
	const folder = temporary(t);
	const {status, stderr} = build('--to', folder);
	assert.equal(status, 0, stderr);
	const pages = new Map(
		globSync('**/*.html', {cwd: folder}).map(file => [file, readFileSync(path.join(folder, file), 'utf8')]),
	);
	assert.equal(pages.size, sources().length);
	for (const file of sources()) {
		assert.ok(
			pages.has(
				file
					.toLowerCase()
					.replace(/readme\.md$/, 'index.md')
					.replace(/md$/, 'html'),
			),
			file,
		);
	}

	const titles = new Set<string>();
	for (const [file, html] of pages) {
		assert.match(html, /^<!doctype html>\n<html lang="en">/, file);
		assert.match(html, /<a class="skip" href="#content">/, file);
		assert.doesNotMatch(html, /<script|<iframe|\son\w+=/, file);
		titles.add(/<title>([^<]+)<\/title>/.exec(html)![1]!);
		const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(match => match[1]);
		assert.equal(new Set(ids).size, ids.length, file);
		for (const [, tag, address] of html.matchAll(/<(\w+)[^>]*? (?:href|src)="([^"]*)"/g)) {
			if (/^[a-z]+:|^\/\//.test(address!)) {
				assert.ok(tag === 'a', `${file}: ${tag} ${address}`);
				continue;
			}

			const [target, anchor] = address!.split('#');
			const place = target === '' ? file : path.join(path.dirname(file), target!);
			assert.ok(existsSync(path.join(folder, place)), `${file}: ${address}`);
			assert.ok(anchor === undefined || pages.get(place)?.includes(` id="${anchor}"`), `${file}: ${address}`);
		}
	}

	assert.equal(titles.size, pages.size);
	assert.doesNotMatch(readFileSync(path.join(folder, 'style.css'), 'utf8'), /@import|url\(/);
});

test('the list of pages has every page of the index, and marks where one is', t => {
	const folder = temporary(t);
	assert.equal(build('--to', folder).status, 0);
	const html = readFileSync(path.join(folder, 'docs', 'decisions', 'broker.html'), 'utf8');
	const list = /<nav[^]*<\/nav>/.exec(html)![0];
	for (const file of globSync('docs/*.md', {cwd: root})) {
		const name = path.basename(file, '.md').replace('readme', 'index');
		assert.ok(list.includes(`href="../${name}.html"`), name);
	}

	assert.match(list, /<a href="index.html" aria-current="true">Decisions<\/a>/);
});

test('anchors are as GitHub makes them, and lead from page to page', t => {
	const folder = copy(t);
	appendFileSync(
		path.join(folder, 'docs', 'policy.md'),
		'\n## What `a_b` & <!-- --> "c" is: 1.5!\n\n## Twice\n\n## Twice\n\n[here](#twice-1)\n',
	);
	appendFileSync(path.join(folder, 'readme.md'), '\n[there](docs/policy.md#what-a_b---c-is-15)\n');
	const to = temporary(t);
	const {status, stderr} = build('--from', folder, '--to', to);
	assert.equal(status, 0, stderr);
	assert.match(readFileSync(path.join(to, 'index.html'), 'utf8'), /href="docs\/policy\.html#what-a_b---c-is-15"/);
	assert.match(readFileSync(path.join(to, 'docs', 'policy.html'), 'utf8'), /<h2 id="twice-1">/);
});

test('what leads nowhere fails with a line for each, and nothing is written', t => {
	for (const [text, line] of [
		['[x](nowhere.md)', 'readme.md: the link nowhere.md leads to nothing that the site has'],
		['[x](docs)', 'readme.md: the link docs leads to nothing that the site has'],
		['[x](../outside)', 'readme.md: the link ../outside leads to nothing that the site has'],
		['[x](docs/keys.md#nowhere)', 'readme.md: the link docs/keys.md#nowhere leads to no heading of docs/keys.md'],
		['[x](#nowhere)', 'readme.md: the link #nowhere leads to no heading of readme.md'],
		['![x](https://example.org/x.png)', 'readme.md: the image https://example.org/x.png leads to nothing'],
		['![](docs/screen.svg)', 'readme.md: the image docs/screen.svg has no text that stands for it'],
		['see <b>', 'readme.md: <b> is HTML'],
	] as const) {
		const folder = copy(t);
		appendFileSync(path.join(folder, 'readme.md'), `\n${text}\n`);
		const to = path.join(folder, 'site');
		const {status, stderr} = build('--from', folder, '--to', to);
		assert.equal(status, 1, text);
		assert.ok(stderr.startsWith(`fleet: docs: ${line}`), stderr);
		assert.match(stderr, /^[^\n]+\n {2}hint: [^\n]+\n$/);
		assert.ok(!existsSync(to));
	}
});

test('a folder that holds something is not written into', t => {
	const folder = temporary(t);
	writeFileSync(path.join(folder, 'mine'), '');
	const {status, stderr} = build('--to', folder);
	assert.equal(status, 2);
	assert.match(stderr, /is not empty\n {2}hint: /);
	assert.deepEqual(globSync('*', {cwd: folder}), ['mine']);
});
