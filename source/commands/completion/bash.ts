import type {Candidates, VerbWords} from './words.ts';

/* The script for bash 4 and later. */

function offer(value: Candidates): string {
	if (value === undefined) {
		return ':';
	}

	if (value === 'files') {
		return '_fleet_files';
	}

	return typeof value === 'string' ? `_fleet_known ${value}` : `_fleet_words '${value.join(' ')}'`;
}

function caseOf(verb: VerbWords): string {
	const values = verb.options
		.filter(({takes}) => takes !== undefined)
		.map(({name, letter, value}) => {
			const pattern = letter === undefined ? `--${name}` : `--${name} | -${letter}`;
			return `\t\t\t${pattern}) ${offer(value)}; return ;;\n`;
		})
		.join('');
	const places = verb.positional.map(({value}, index) => `\t\t\t${index}) ${offer(value)} ;;\n`).join('');
	return (
		`\t${verb.name})\n` +
		`\t\toptions='${verb.options.map(({name}) => `--${name}`).join(' ')}'\n` +
		(values === '' ? '' : `\t\tcase $previous in\n${values}\t\tesac\n`) +
		'\t\tif [[ $current == -* ]]; then _fleet_words "$options"; return; fi\n' +
		(places === ''
			? ''
			: `\t\t_fleet_place ${
					verb.options
						.filter(({takes}) => takes !== undefined)
						.map(({name}) => `--${name}`)
						.join(' ') || ''
				}\n\t\tcase $place in\n${places}\t\tesac\n`) +
		'\t\t;;\n'
	).replaceAll(/ +\n/g, '\n');
}

/** The whole script. */
export function bashScript(verbs: readonly VerbWords[]): string {
	return `# Completion of fleet for bash: source <(fleet completion bash)
_fleet_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_fleet_known() { _fleet_words "$("\${COMP_WORDS[0]}" completion "$1" 2>/dev/null)"; }
_fleet_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
# How many arguments stand before the word that is being typed. $@: options that a word follows.
_fleet_place() {
	local at taking word
	place=0
	for ((at = 2; at < COMP_CWORD; at++)); do
		word=\${COMP_WORDS[at]}
		if [[ $word == -* ]]; then
			for taking in "$@"; do [[ $word == "$taking" ]] && at=$((at + 1)); done
		else
			place=$((place + 1))
		fi
	done
}
_fleet() {
	local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} options place at
	COMPREPLY=()
	# What stands after "--" is another program's.
	for ((at = 1; at < COMP_CWORD; at++)); do
		if [[ \${COMP_WORDS[at]} == -- ]]; then _fleet_files; return; fi
	done
	if ((COMP_CWORD == 1)); then
		_fleet_words '${verbs.map(({name}) => name).join(' ')} --help --version'
		return
	fi
	case \${COMP_WORDS[1]} in
${verbs.map(verb => caseOf(verb)).join('')}	esac
}
complete -F _fleet fleet
`;
}
