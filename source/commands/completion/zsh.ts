import type {Candidates, OptionWord, VerbWords} from './words.ts';

/* The script for zsh, as a file _fleet on its search path, or sourced. */

/** In single quotes, within a specification of _arguments, where a colon and brackets end something. */
function escape(text: string): string {
	return text.replaceAll(/[\\:[\]]/g, String.raw`\$&`).replaceAll("'", String.raw`'\''`);
}

function actionFor(value: Candidates): string {
	if (value === undefined) {
		return ' ';
	}

	if (value === 'files') {
		return '_files';
	}

	return typeof value === 'string' ? `_fleet_${value}` : `(${value.join(' ')})`;
}

function optionSpec({name, letter, help, takes, value, repeated}: OptionWord): string {
	const follows = takes === undefined ? '' : `:${escape(takes)}:${actionFor(value)}`;
	const spec = (flag: string) => `'${repeated ? '*' : ''}${flag}[${escape(help)}]${follows}'`;
	return [...(letter === undefined ? [] : [spec(`-${letter}`)]), spec(`--${name}`)].join(' ');
}

function caseOf({name, options, positional}: VerbWords): string {
	const specs = [
		...options.map(option => optionSpec(option)),
		...positional.map(({shown, value}, index) => `'${index + 1}:${escape(shown)}:${actionFor(value)}'`),
	];
	return `\t${name}) _arguments -S ${specs.join(' \\\n\t\t')} ;;\n`;
}

/** The whole script. */
export function zshScript(verbs: readonly VerbWords[]): string {
	return `#compdef fleet
# Completion of fleet for zsh: fleet completion zsh > a folder of $fpath, as _fleet; or source <(fleet completion zsh)
_fleet_runs() { local -a known; known=(\${(f)"$(fleet completion runs 2>/dev/null)"}); compadd -a known; }
_fleet_projects() { local -a known; known=(\${(f)"$(fleet completion projects 2>/dev/null)"}); compadd -a known; }
_fleet() {
	if (( CURRENT == 2 )); then
		local -a verbs
		verbs=(
${verbs.map(({name, summary}) => `\t\t\t'${name}:${escape(summary)}'`).join('\n')}
		)
		_describe command verbs
		return
	fi
	shift words
	(( CURRENT-- ))
	case $words[1] in
${verbs.map(verb => caseOf(verb)).join('')}	esac
}
if [ "$funcstack[1]" = _fleet ]; then _fleet "$@"; else compdef _fleet fleet; fi
`;
}
