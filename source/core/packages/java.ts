import {Unreadable, type LockFormat, type Package} from './package.ts';
import {hostOf, registrySource} from './sources.ts';

/* `pom.xml`, as far as it names versions itself, and `gradle.lockfile`. */

const hosts = ['repo.maven.apache.org', 'repo1.maven.org'];

/** Depth to which elements are followed. */
const maxDepth = 100;

type Element = {readonly name: string; readonly parts: Element[]; text: string};

const entities: Readonly<Record<string, string>> = {lt: '<', gt: '>', amp: '&', quot: '"', apos: "'"};

/** A text of XML with its own five entities, and those by number, as characters. */
function plainText(text: string): string {
	return text.replaceAll(/&(#\d{1,7}|#x[\dA-Fa-f]{1,6}|\w{1,8});/g, (whole, name: string) => {
		if (!name.startsWith('#')) {
			return Object.hasOwn(entities, name) ? entities[name]! : whole;
		}

		const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
		return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
	});
}

/** Where `what` is next. @throws Unreadable where it is nowhere */
function find(text: string, what: string, from: number): number {
	const at = text.indexOf(what, from);
	if (at === -1) {
		throw new Unreadable(`what begins at character ${from} has no end`);
	}

	return at;
}

/** Elements and their texts. Attributes are passed over; a document type, which could declare entities, is refused. */
function parseXml(text: string): Element {
	const root: Element = {name: '', parts: [], text: ''};
	const open = [root];
	for (let at = 0; at < text.length;) {
		const next = text.indexOf('<', at);
		const end = next === -1 ? text.length : next;
		open.at(-1)!.text += plainText(text.slice(at, end));
		at = end;
		if (text.startsWith('<!--', at)) {
			at = find(text, '-->', at + 4) + 3;
		} else if (text.startsWith('<![CDATA[', at)) {
			const stop = find(text, ']]>', at);
			open.at(-1)!.text += text.slice(at + 9, stop);
			at = stop + 3;
		} else if (text.startsWith('<?', at)) {
			at = find(text, '?>', at) + 2;
		} else if (text.startsWith('<!', at)) {
			throw new Unreadable('it has a document type');
		} else if (at < text.length) {
			at = readTag(text, at, open);
		}
	}

	if (open.length !== 1) {
		throw new Unreadable('an element has no end');
	}

	return root;
}

/** Reads one tag. @returns where it ends */
function readTag(text: string, from: number, open: Element[]): number {
	let end = from + 1;
	for (let quote = ''; end < text.length && (quote !== '' || text[end] !== '>'); end++) {
		if (quote === '' && (text[end] === '"' || text[end] === "'")) {
			quote = text[end]!;
		} else if (text[end] === quote) {
			quote = '';
		}
	}

	const inner = text.slice(from + 1, end);
	// The name without its namespace's prefix.
	const name = (/^\/?([^\s/>]+)/.exec(inner)?.[1] ?? '').replace(/^.*:/, '');
	if (end === text.length || name === '') {
		throw new Unreadable(`the tag at character ${from} is none`);
	}

	if (inner.startsWith('/')) {
		if (open.length === 1 || open.pop()!.name !== name) {
			throw new Unreadable(`</${name}> ends nothing`);
		}
	} else {
		const element: Element = {name, parts: [], text: ''};
		open.at(-1)!.parts.push(element);
		if (!inner.endsWith('/')) {
			open.push(element);
		}
	}

	if (open.length > maxDepth) {
		throw new Unreadable('its elements lie too deep');
	}

	return end + 1;
}

function partOf(element: Element | undefined, name: string): Element | undefined {
	return element?.parts.find(part => part.name === name);
}

const fieldOf = (element: Element | undefined, name: string) => partOf(element, name)?.text.trim() ?? '';

/** Elements that name something that Maven fetches. Plugins and extensions run when it builds. */
const fetched = new Set(['dependency', 'plugin', 'extension', 'parent']);

/** Every element below one, itself included. */
function* below(element: Element): Generator<Element> {
	yield element;
	for (const part of element.parts) {
		yield* below(part);
	}
}

export const maven: LockFormat = {
	id: 'maven',
	ecosystem: 'maven',
	name: /^pom\.xml$/,
	hosts,
	read(text) {
		const project = partOf(parseXml(text.replace(/^\uFEFF/, '')), 'project');
		if (!project) {
			throw new Unreadable('it has no project');
		}

		const known = new Map(partOf(project, 'properties')?.parts.map(({name, text: value}) => [name, value.trim()]));
		known.set('project.version', fieldOf(project, 'version'));
		// Once: a property may name another, but the file then says so.
		const filled = (value: string) => value.replaceAll(/\$\{([\w.-]+)\}/g, (whole, name) => known.get(name) ?? whole);
		const packages: Package[] = [];
		const others = new Set<string>();
		for (const element of below(project)) {
			if (fetched.has(element.name) && partOf(element, 'artifactId')) {
				const group = fieldOf(element, 'groupId') || (element.name === 'plugin' ? 'org.apache.maven.plugins' : '');
				packages.push({
					name: filled(`${group}:${fieldOf(element, 'artifactId')}`),
					version: filled(fieldOf(element, 'version')),
					source: registrySource(''),
					script: element.name === 'plugin' || element.name === 'extension' ? 'yes' : 'no',
					integrity: [],
				});
			} else if (element.name === 'repository' || element.name === 'pluginRepository') {
				others.add(hostOf(filled(fieldOf(element, 'url'))));
			}
		}

		others.delete('');
		return {packages, hosts: [...others]};
	},
};

export const gradle: LockFormat = {
	id: 'gradle',
	ecosystem: 'maven',
	name: /^(?:[\w.-]*[-.])?gradle\.lockfile$|^buildscript-gradle\.lockfile$/,
	hosts,
	read(text) {
		const packages: Package[] = [];
		for (const [index, line] of text.split(/\r?\n/).entries()) {
			if (line.trim() === '' || line.startsWith('#') || line.startsWith('empty=')) {
				continue;
			}

			const [, name, version] = /^([^:=\s]+:[^:=\s]+):([^:=\s]+)=/.exec(line) ?? [];
			if (name === undefined || version === undefined) {
				throw new Unreadable(`line ${index + 1} is not as Gradle writes it`);
			}

			packages.push({name, version, source: registrySource(''), script: 'unknown', integrity: []});
		}

		return {packages, hosts: []};
	},
};
