// What stands around a page: the head, the way to the content, the list of pages.
import path from 'node:path';
import {escape} from './render.mjs';

function list({file, pages, groups, headings}, address) {
	// A decision is not listed itself: the page that lists it is marked in its place.
	const isListed = groups.some(({links}) => links.some(([target]) => target === file));
	const above = isListed ? '' : `${path.posix.dirname(file)}/readme.md`;
	const item = ([target, text]) => {
		const current = [file, above].includes(target) ? ` aria-current="${target === file ? 'page' : 'true'}"` : '';
		const parts = target === file ? headings.filter(({depth}) => depth === 2) : [];
		const inside =
			parts.length === 0
				? ''
				: `\n<ul>\n${parts.map(({id, text}) => `<li><a href="#${id}">${escape(text)}</a></li>\n`).join('')}</ul>\n`;
		return `<li><a href="${address(pages.get(target))}"${current}>${escape(text)}</a>${inside}</li>\n`;
	};

	return groups.map(({title, links}) => `<h2>${escape(title)}</h2>\n<ul>\n${links.map(item).join('')}</ul>\n`).join('');
}

/** @returns a whole page. Addresses are relative to it, so that the folder can lie anywhere. */
export function layout(page) {
	const {file, pages, headings, html} = page;
	const address = output => path.posix.relative(path.posix.dirname(pages.get(file)), output);
	const title = headings.find(({depth}) => depth === 1).text;
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title === 'fleet' ? 'fleet: AI coding agents under least privilege' : `${title} · fleet`)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${address('style.css')}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><a href="${address('index.html')}">fleet</a> <a class="jump" href="#pages">All pages</a></header>
<nav id="pages" aria-label="Pages">
${list(page, address)}</nav>
<main id="content" tabindex="-1">
${html}</main>
</body>
</html>
`;
}
