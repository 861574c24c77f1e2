import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';
import {unique} from './hosts.ts';

/** The modules of a workspace as patterns of packages; of a module alone, its own. */
function patternsOf(folder: ProjectFolder): string {
	const work = folder.text('go.work');
	const used = [...(work ?? '').matchAll(/^\s*(?:use\s+)?(\.[\w./-]*)\s*$/gm)].map(([, place]) => place!);
	return used.length === 0 ? './...' : used.map(place => (place === '.' ? './...' : `${place}/...`)).join(' ');
}

/** Whether there may be a page whose build a package embeds: then that package cannot be compiled before it is built. */
function hasPage({paths}: ProjectFolder): boolean {
	return paths.some(name => /(?:^|\/)package\.json$/.test(name));
}

/** Compiles what packages need, without themselves. */
function compileDependencies(patterns: string): string {
	const needed = `'{{if and .DepOnly (not .ForTest)}}{{.ImportPath}}{{end}}'`;
	return `go list -e -deps -test -f ${needed} ${patterns} 2> /dev/null | xargs -r go build > /dev/null 2>&1`;
}

/** Go modules, which go keeps below HOME. */
export const go: ProjectKind = {
	id: 'go',
	title: 'Go',
	language: 'Go',
	manifests: ['go.work', 'go.mod'],
	reads: ['go.mod', 'go.work'],
	detect(folder) {
		const by = ['go.work', 'go.mod'].find(name => folder.paths.includes(name));
		if (by === undefined) {
			return undefined;
		}

		const isVendored = folder.paths.includes('vendor/modules.txt');
		const hasModules = by === 'go.work' || /^\s*(?:require|toolchain)\b/m.test(folder.text('go.mod') ?? '');
		const fetches = hasModules && !isVendored;
		const patterns = patternsOf(folder);
		return {
			by,
			program: 'go',
			setup: [
				...(fetches ? ['go mod download'] : []),
				// Compiles all that tests need, the standard library included: each verification would, for minutes.
				`go test -run '^$' ${patterns} > /dev/null 2>&1 || ${hasPage(folder) ? `${compileDependencies(patterns)} || ` : ''}true`,
			],
			verify: [`go vet ${patterns}`, `go test ${patterns}`],
			network: fetches ? ['proxy.golang.org', 'sum.golang.org'] : [],
			inputs: unique(
				folder.paths
					.filter(name => /(?:^|\/)go\.(?:mod|sum)$|^go\.work(?:\.sum)?$/.test(name) && !name.startsWith('vendor/'))
					.slice(0, 200),
			),
			preview: undefined,
			notes: [],
		};
	},
};
