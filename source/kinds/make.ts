import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';

const makefiles = ['GNUmakefile', 'makefile', 'Makefile'];
const configures = ['configure', 'configure.ac', 'configure.in'];

/** Whether a makefile has a rule for a target of this name. */
function hasTarget(text: string, name: string): boolean {
	return new RegExp(String.raw`^(?:[\w.-]+ +)*${name}(?: +[\w.-]+)* *::?(?!=)`, 'm').test(text);
}

/** What comes before make where a script writes the makefile. */
function configureOf({paths}: ProjectFolder): string | undefined {
	if (paths.includes('configure')) {
		return 'sh configure';
	}

	return ['configure.ac', 'configure.in'].some(name => paths.includes(name))
		? 'autoreconf -i && sh configure'
		: undefined;
}

/** A makefile, where nothing else says how the project is tested: make is often what calls the others. */
export const make: ProjectKind = {
	id: 'make',
	title: 'make',
	language: 'C',
	manifests: [...makefiles, ...configures],
	isCalled: true,
	reads: makefiles,
	isFallback: true,
	detect(folder) {
		const by = makefiles.find(name => folder.paths.includes(name));
		const configure = by === undefined ? configureOf(folder) : undefined;
		if (by === undefined && configure === undefined) {
			return undefined;
		}

		const text = by === undefined ? '' : (folder.text(by) ?? '');
		const target = configure === undefined ? ['test', 'check', 'tests'].find(name => hasTarget(text, name)) : 'check';
		const call = target === undefined ? 'make' : `make ${target}`;
		return {
			by: by ?? (folder.paths.includes('configure') ? 'configure' : 'configure.ac'),
			program: 'make',
			setup: [],
			verify: [configure === undefined ? call : `${configure} && ${call}`],
			network: [],
			inputs: [],
			preview: ['serve', 'run', 'dev'].filter(name => hasTarget(text, name)).map(name => `make ${name}`)[0],
			notes:
				target === undefined
					? [`${by} has no target called test or check: what it builds is all that is verified`]
					: [],
		};
	},
};
