// From Markdown to the HTML of a page's content. marked is handed in: it is installed by who calls.
const codes = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
export const escape = text => text.replaceAll(/[&<>"]/g, sign => codes[sign]);

const entities = {amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'"};
const textOf = html =>
	html.replaceAll(/<[^>]*>/g, '').replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name]);

/** As GitHub names headings: letters, digits, marks, `_` and `-` stay; a name that is taken gets a number. */
function slugger() {
	const taken = new Map();
	return text => {
		const plain = text
			.toLowerCase()
			.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
			.replaceAll(' ', '-');
		let slug = plain;
		while (taken.has(slug)) {
			taken.set(plain, taken.get(plain) + 1);
			slug = `${plain}-${taken.get(plain)}`;
		}

		taken.set(slug, 0);
		return slug;
	};
}

/**
 * @param {{Marked: Function, markdown: string, resolve: (href: string, kind: 'link' | 'image') => string}} page
 * `resolve` says what an address of the Markdown is on the site
 * @returns the HTML, the headings, and what is wrong with it, a line each
 */
export function render({Marked, markdown, resolve}) {
	const slug = slugger();
	const headings = [];
	const problems = [];
	const renderer = {
		heading({tokens, depth}) {
			const html = this.parser.parseInline(tokens);
			const text = textOf(html);
			const id = slug(text);
			headings.push({id, depth, text});
			const own = depth === 1 ? '' : ` <a class="anchor" href="#${id}" aria-label="Link to: ${escape(text)}">#</a>`;
			return `<h${depth} id="${id}">${html}${own}</h${depth}>\n`;
		},
		link({href, tokens}) {
			return `<a href="${escape(resolve(href, 'link'))}">${this.parser.parseInline(tokens)}</a>`;
		},
		image({href, text}) {
			if (text === '') {
				problems.push(`the image ${href} has no text that stands for it`);
			}

			return `<img src="${escape(resolve(href, 'image'))}" alt="${escape(text)}">`;
		},
		// What scrolls can be reached, and so scrolled, by the keyboard.
		code({text}) {
			return `<pre tabindex="0"><code>${escape(text)}\n</code></pre>\n`;
		},
		// A table without a head names its rows in the first column.
		table({header, rows}) {
			const cell = (name, {tokens}) => `<${name}>${this.parser.parseInline(tokens)}</${name.slice(0, 2)}>`;
			const isHeadless = header.every(({text}) => text === '');
			const head = isHeadless
				? ''
				: `<thead>\n<tr>${header.map(one => cell('th scope="col"', one)).join('')}</tr>\n</thead>\n`;
			const first = isHeadless ? 'th scope="row"' : 'td';
			const body = rows.map(row => `<tr>${row.map((one, at) => cell(at === 0 ? first : 'td', one)).join('')}</tr>\n`);
			return `<div class="table" tabindex="0"><table>\n${head}<tbody>\n${body.join('')}</tbody>\n</table></div>\n`;
		},
		html({text}) {
			if (text.replaceAll(/<!--[^]*?-->/g, '').trim() !== '') {
				problems.push(`${text.trim()} is HTML: write it in backticks, or with &lt; for <`);
			}

			return '';
		},
	};
	const html = new Marked({renderer}).parse(markdown);
	if (headings.filter(({depth}) => depth === 1).length !== 1) {
		problems.push('a page has one title ("# …")');
	}

	return {html, headings, problems};
}
