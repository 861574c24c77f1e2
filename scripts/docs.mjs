// `npm run docs [-- --to FOLDER] [--from FOLDER]`: the documents as pages that a browser opens from the folder,
// without a server, a network or JavaScript. A link that leads nowhere fails, and nothing is written.
import {copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {install, root} from './bootstrap.mjs';
import {layout} from './docs/layout.mjs';
import {render} from './docs/render.mjs';

function fail(lines, hint, code = 1) {
	process.stderr.write(`${lines.map(line => `fleet: docs: ${line}\n`).join('')}  hint: ${hint}\n`);
	process.exit(code);
}

function options() {
	try {
		return parseArgs({options: {to: {type: 'string'}, from: {type: 'string', default: root}}}).values;
	} catch (error) {
		return fail([error.message], 'npm run docs -- [--to FOLDER] [--from FOLDER]', 2);
	}
}

/** The pages: where each is in the project, and where the site has it. */
function listPages(from) {
	const inFolder = folder =>
		readdirSync(path.join(from, folder))
			.filter(name => name.endsWith('.md'))
			.map(name => `${folder}/${name}`);
	const files = ['readme.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
	files.push(...inFolder('docs'), ...inFolder('docs/decisions'));
	return new Map(
		files.map(file => [
			file,
			file
				.toLowerCase()
				.replace(/(^|\/)readme\.md$/, '$1index.md')
				.replace(/md$/, 'html'),
		]),
	);
}

/** What the index lists, in its groups: a line that ends with a colon, then a table whose first column links. */
function listGroups(from, pages) {
	const groups = [
		{
			title: 'Start',
			links: [
				['readme.md', 'Read me'],
				['docs/readme.md', 'All documents'],
			],
		},
	];
	for (const line of readFileSync(path.join(from, 'docs/readme.md'), 'utf8').split('\n')) {
		const title = /^(\S.*):$/.exec(line)?.[1];
		const [, text, target = ''] = /^\| \[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? [];
		if (title) {
			groups.push({title, links: []});
		} else if (pages.has(path.posix.join('docs', target))) {
			groups.at(-1).links.push([path.posix.join('docs', target), text]);
		}
	}

	return groups;
}

/** Renders every page. What is linked to beside the pages, such as pictures, is listed to be copied. */
function renderAll({Marked, from, pages}) {
	const rendered = new Map();
	const copied = new Set();
	const links = [];
	const problems = [];
	for (const [file, output] of pages) {
		const resolve = (href, kind) => {
			if (kind === 'link' && /^(https?|mailto):/.test(href)) {
				return href;
			}

			const [target, anchor] = href.replaceAll('%20', ' ').split('#');
			const place = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
			const isFile = existsSync(path.join(from, place)) && statSync(path.join(from, place)).isFile();
			if (!isFile || place.startsWith('../') || (place.endsWith('.md') && !pages.has(place))) {
				problems.push(`${file}: the ${kind} ${href} leads to nothing that the site has`);
				return href;
			}

			if (!pages.has(place)) {
				copied.add(place);
			}

			links.push({file, href, place, anchor});
			const address = path.posix.relative(path.posix.dirname(output), pages.get(place) ?? place);
			return (target === '' ? '' : address) + (anchor === undefined ? '' : `#${anchor}`);
		};

		const page = render({Marked, markdown: readFileSync(path.join(from, file), 'utf8'), resolve});
		rendered.set(file, page);
		problems.push(...page.problems.map(problem => `${file}: ${problem}`));
	}

	for (const {file, href, place, anchor} of links) {
		if (anchor !== undefined && !rendered.get(place)?.headings.some(({id}) => id === anchor)) {
			problems.push(`${file}: the link ${href} leads to no heading of ${place}`);
		}
	}

	return {rendered, copied, problems};
}

const values = options();
const from = path.resolve(values.from);
const to = path.resolve(values.to ?? path.join(root, 'dist-docs'));
if (values.to !== undefined && existsSync(to) && readdirSync(to).length > 0) {
	fail([`${to} is not empty`], 'name a new or an empty folder; without --to, dist-docs is made anew each time', 2);
}

install(process.execPath, root);
const {Marked} = await import('marked');
const pages = listPages(from);
const {rendered, copied, problems} = renderAll({Marked, from, pages});
if (problems.length > 0) {
	fail(problems, 'mend what these lines name, and run it again; nothing was written');
}

if (values.to === undefined) {
	rmSync(to, {recursive: true, force: true});
}
const place = name => {
	mkdirSync(path.dirname(path.join(to, name)), {recursive: true});
	return path.join(to, name);
};

const groups = listGroups(from, pages);
for (const [file, page] of rendered) {
	writeFileSync(place(pages.get(file)), layout({...page, file, pages, groups}));
}

for (const file of copied) {
	copyFileSync(path.join(from, file), place(file));
}

copyFileSync(path.join(import.meta.dirname, 'docs', 'style.css'), place('style.css'));
process.stdout.write(`${pages.size} pages: open ${path.relative(process.cwd(), place('index.html'))}\n`);
