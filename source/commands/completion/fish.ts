import type {Candidates, OptionWord, VerbWords} from './words.ts';

/* The script for fish. */

function quote(text: string): string {
	return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}

/** What is offered in a place, as the options of fish's complete. */
function offer(value: Candidates): string {
	if (value === undefined) {
		return '';
	}

	if (value === 'files') {
		return ' -F';
	}

	return ` -a ${typeof value === 'string' ? `'(fleet completion ${value})'` : quote(value.join(' '))}`;
}

function optionLine(verb: string, {name, letter, help, takes, value}: OptionWord): string {
	const short = letter === undefined ? '' : ` -s ${letter}`;
	const needs = takes === undefined ? '' : `${value === 'files' ? ' -r' : ' -x'}${offer(value)}`;
	return `complete -c fleet -n '__fleet_verb ${verb}'${short} -l ${name}${needs} -d ${quote(help)}\n`;
}

/** The whole script. */
export function fishScript(verbs: readonly VerbWords[]): string {
	const lines = verbs.flatMap(({name, summary, positional, options}) => [
		`complete -c fleet -n __fleet_no_verb -a ${name} -d ${quote(summary)}\n`,
		...options.map(option => optionLine(name, option)),
		...positional
			.map(({value}, index) => ({offered: offer(value), index}))
			.filter(({offered}) => offered !== '')
			.map(({offered, index}) => `complete -c fleet -n '__fleet_verb ${name} ${index}'${offered}\n`),
	]);
	return `# Completion of fleet for fish: fleet completion fish > ~/.config/fish/completions/fleet.fish
function __fleet_no_verb
	test (count (commandline -opc)) -eq 1
end
# Whether that verb is typed, and so many arguments after it.
function __fleet_verb
	set -l typed (commandline -opc)
	test (count $typed) -gt 1; and test $typed[2] = $argv[1]; or return 1
	contains -- -- $typed; and return 1
	test (count $argv) -eq 1; and return 0
	test (count (string match -v -- '-*' $typed[3..])) -eq $argv[2]
end
complete -c fleet -f
${lines.join('')}`;
}
