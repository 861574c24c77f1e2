import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '..', 'source', 'tui', 'stand-ins');

/**
 * Packages, and modules of Ink's, in whose place a module of ours is loaded, also by other packages; what that module
 * itself imports by this name is the package. docs/decisions/dependencies-as-they-are.md has their reasons.
 */
export const standIns = {
	name: 'stand-ins',
	setup(context) {
		for (const name of ['string-width', '@alcalzone/ansi-tokenize']) {
			const file = path.join(folder, `${path.basename(name)}.ts`);
			context.onResolve({filter: new RegExp(`^${name}$`)}, ({importer}) =>
				importer === file ? undefined : {path: file},
			);
		}

		for (const name of ['output', 'log-update']) {
			const file = path.join(folder, `ink-${name}.ts`);
			context.onResolve({filter: new RegExp(`^\\./${name}\\.js$`)}, ({resolveDir}) =>
				resolveDir.endsWith(path.join('node_modules', 'ink', 'build')) ? {path: file} : undefined,
			);
		}
	},
};
