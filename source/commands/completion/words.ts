import {dashed, type Verb} from '../verb.ts';

/* What can stand where, from the verbs' own declarations: what the three shells' scripts are made of. */

/** What a word may be: one of a few, something that fleet knows, a file; undefined for what nobody can guess. */
export type Candidates = readonly string[] | 'runs' | 'projects' | 'files' | undefined;

export type OptionWord = {
	readonly name: string;
	readonly letter: string | undefined;
	readonly help: string;
	/** Whether a word has to follow. */
	readonly takes: string | undefined;
	readonly value: Candidates;
	readonly repeated: boolean;
};

export type VerbWords = {
	readonly name: string;
	readonly summary: string;
	/** By their place. */
	readonly positional: ReadonlyArray<{readonly shown: string; readonly value: Candidates}>;
	readonly options: readonly OptionWord[];
};

function candidatesOf(shown: string, choices: readonly string[] | undefined): Candidates {
	if (choices) {
		return choices;
	}

	const word = shown.replaceAll(/[[\]"]/g, '');
	const known: Readonly<Record<string, Candidates>> = {
		RUN: 'runs',
		PROJECT: 'projects',
		FILE: 'files',
		PATH: 'files',
		FOLDER: 'files',
	};
	return Object.hasOwn(known, word) ? known[word] : undefined;
}

/** All words of one verb. */
export function wordsOf(name: string, verb: Verb): VerbWords {
	const options = Object.entries(verb.options).flatMap(([key, option]): OptionWord[] => {
		const {help, letter, takes, bare, many, choices, negative} = option;
		const word = {
			name: dashed(key),
			letter,
			help,
			takes: bare ? undefined : takes,
			value: takes === undefined ? undefined : candidatesOf(key === 'project' ? 'PROJECT' : takes, choices),
			repeated: many !== undefined,
		};
		return negative === undefined
			? [word]
			: [word, {...word, name: `no-${word.name}`, letter: undefined, help: negative, takes: undefined}];
	});
	return {
		name,
		summary: verb.summary,
		positional: Object.values(verb.arguments).map(({shown, choices}) => ({
			shown: shown.replaceAll(/[[\]"]/g, ''),
			value: candidatesOf(shown, choices),
		})),
		options: [
			...options,
			{name: 'help', letter: 'h', help: 'what it takes', takes: undefined, value: undefined, repeated: false},
		],
	};
}
