import {FAILSAFE_SCHEMA, loadAll} from 'js-yaml';

/**
 * Reads YAML of lock files: every scalar is a text, as versions such as `1.10` are no numbers. Aliases are refused, as
 * no package manager writes them, and with them all that grows when it is read.
 * @throws YAMLException
 */
export function parseYaml(text: string): unknown[] {
	return loadAll(text.replace(/^\uFEFF/, ''), {schema: FAILSAFE_SCHEMA, maxAliases: 0, maxDepth: 50});
}
