import {Unreadable} from './package.ts';
import {FAILSAFE_SCHEMA, loadAll} from 'js-yaml';

/**
 * Reads YAML of lock files: every scalar is a text, as versions such as `1.10` are no numbers. Aliases are refused, as
 * no package manager writes them, and with them all that grows when it is read.
 * @throws YAMLException, or Unreadable for a key `<<`, by which other readers of YAML lay one table over another
 */
export function parseYaml(text: string): unknown[] {
	const documents = loadAll(text.replace(/^\uFEFF/, ''), {schema: FAILSAFE_SCHEMA, maxAliases: 0, maxDepth: 50});
	if (text.includes('<<') && documents.some(document => hasMerge(document))) {
		throw new Unreadable('it has a key <<');
	}

	return documents;
}

function hasMerge(value: unknown): boolean {
	return (
		typeof value === 'object' &&
		value !== null &&
		Object.entries(value).some(([key, part]) => (key === '<<' && !Array.isArray(value)) || hasMerge(part))
	);
}
