import {noSource, Unreadable, type LockFormat, type Package, type Script, type Source} from './package.ts';
import {aliased} from './npm.ts';
import {fragmentOf, gitSource, npmSource, pathSource, registrySource} from './sources.ts';
import {listOf, pairsOf, tableIn, valueOf} from './values.ts';

/* `bun.lock`: JSON with commas at ends and comments. `bun.lockb`, in bytes of Bun's own, is not read. */

/** JSON with what only Bun allows taken out. One way through the text, whatever it is. */
export function plainJson(text: string): string {
	const parts: string[] = [];
	let from = 0;
	let isPending = false;
	for (let at = 0; at < text.length; at++) {
		const character = text[at]!;
		if (character === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
			const isLine = text[at + 1] === '/';
			const end = text.indexOf(isLine ? '\n' : '*/', at + 2);
			parts.push(text.slice(from, at), ' ');
			from = end === -1 ? text.length : end + (isLine ? 0 : 2);
			at = from - 1;
			continue;
		}

		if (character === ' ' || character === '\n' || character === '\r' || character === '\t') {
			continue;
		}

		// A comma is written once it is known that no end follows it.
		if (isPending) {
			parts.push(text.slice(from, at), character === '}' || character === ']' ? '' : ',');
			from = at;
			isPending = false;
		}

		if (character === '"') {
			for (at++; at < text.length && text[at] !== '"'; at++) {
				at += text[at] === '\\' ? 1 : 0;
			}
		} else if (character === ',') {
			parts.push(text.slice(from, at));
			from = at + 1;
			isPending = true;
		}
	}

	parts.push(text.slice(from), isPending ? ',' : '');
	return parts.join('');
}

function sourceOf(version: string, registry: string): Source {
	if (/^(?:workspace|file|link|root):|^\.{0,2}\//.test(version)) {
		return pathSource(version);
	}

	if (/^(?:git[+:@]|github:|gitlab:|bitbucket:)|\.git(?:#|$)/.test(version)) {
		return gitSource(version);
	}

	if (/^https?:/.test(version)) {
		return npmSource(version, {name: '', version: ''});
	}

	return registrySource(registry);
}

/** The entry of `"name": ["name@version", registry, {…}, integrity]`, in which what follows the first depends on it. */
function readEntry(key: string, entry: unknown, scripts: (name: string, facts: unknown) => Script): Package {
	const [ident, ...rest] = listOf(entry, key);
	if (typeof ident !== 'string') {
		throw new Unreadable('an entry has no name');
	}

	const at = ident.indexOf('@', 1);
	const [real, version] = at === -1 ? [ident, ''] : [ident.slice(0, at), ident.slice(at + 1)];
	const texts = rest.filter(part => typeof part === 'string');
	const source = sourceOf(version, typeof rest[0] === 'string' && !/^sha\d+-/.test(rest[0]) ? rest[0] : '');
	// Of a package in a package, the key is a path of names.
	const own = key.endsWith(`/${real}`) ? real : (/(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(key)?.[1] ?? key);
	const commit = source.kind === 'git' ? fragmentOf(version) : '';
	return {
		name: aliased(own, real),
		version: source.kind === 'registry' ? version : '',
		source: source.at === '' && source.kind === 'unknown' ? noSource : source,
		script: scripts(
			real,
			rest.find(part => tableIn(part)),
		),
		integrity: [texts.find(text => /^sha\d+-/.test(text)) ?? '', commit].filter(text => text !== ''),
	};
}

export const bun: LockFormat = {
	id: 'bun',
	ecosystem: 'npm',
	name: /^bun\.lockb?$/,
	hosts: ['registry.npmjs.org'],
	read(text) {
		const lock: unknown = JSON.parse(plainJson(text.replace(/^\uFEFF/, '')));
		const version = valueOf(lock, 'lockfileVersion');
		if (version !== 0 && version !== 1 && version !== 2) {
			throw new Unreadable('its lockfileVersion is none of 0, 1 and 2');
		}

		const trusted = new Set(listOf(valueOf(lock, 'trustedDependencies'), 'trustedDependencies'));
		// From version 2 on it says which packages have a script.
		const scripts = (name: string, facts: unknown): Script => {
			if (trusted.has(name) || valueOf(facts, 'hasInstallScript') === true) {
				return 'yes';
			}

			return version === 2 ? 'no' : 'unknown';
		};

		return {
			packages: pairsOf(valueOf(lock, 'packages'), 'packages').map(([key, entry]) => readEntry(key, entry, scripts)),
			hosts: [],
		};
	},
};
