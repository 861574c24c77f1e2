import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {printable} from '../core/names.ts';
import {version} from '../core/version.ts';
import {listProjects} from '../engine/project/list-projects.ts';
import {listRunIds} from '../engine/runs.ts';
import {bashScript} from './completion/bash.ts';
import {fishScript} from './completion/fish.ts';
import {manPage} from './completion/man.ts';
import {wordsOf} from './completion/words.ts';
import {zshScript} from './completion/zsh.ts';
import {define, known, oneOf, type Verb} from './verb.ts';

async function allVerbs(): Promise<Array<readonly [string, Verb]>> {
	return Promise.all(Object.entries(known.verbs).map(async ([name, load]) => [name, (await load()).verb] as const));
}

const allWords = async () => (await allVerbs()).map(([name, verb]) => wordsOf(name, verb));

/** What is printed for each word; the last two are what the scripts ask for. */
const printed: Readonly<Record<string, () => Promise<string>>> = {
	bash: async () => bashScript(await allWords()),
	zsh: async () => zshScript(await allWords()),
	fish: async () => fishScript(await allWords()),
	man: async () => manPage(await allVerbs(), version),
	runs: async () => lines(listRunIds(compose())),
	projects: async () => lines(listProjects(compose()).map(({id}) => id)),
};

function lines(words: readonly string[]): string {
	return words.map(word => `${word}\n`).join('');
}

export const verb = define({
	summary: 'a script that completes commands in a shell, or the manual page',
	arguments: {what: oneOf('WHAT', ['bash', 'zsh', 'fish', 'man'], 'bash, zsh, fish, or man')},
	options: {},
	usage: 'bash | zsh | fish | man',
	async run(io, {what}) {
		const print = Object.hasOwn(printed, what) ? printed[what] : undefined;
		if (!print) {
			throw new Refusal(`there is no completion for "${printable(what)}"`, 'source <(fleet completion bash)');
		}

		io.out(await print());
	},
});
