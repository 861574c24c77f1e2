import * as v from 'valibot';
import {Refusal} from '../refusal.ts';
import {makeBinding, secretName, type Binding} from './secret.ts';
import {parseDuration} from '../text/time.ts';
import {parseClosed} from '../text/yaml.ts';

/** Where a project lists the secrets that its runs could use. It holds no value. */
export const proposalsPath = '.fleet/secrets.yaml';

const texts = v.optional(v.array(v.string()));

const schema = v.record(
	v.pipe(v.string(), v.regex(secretName, 'a secret is named with lower-case letters, digits and dashes')),
	v.strictObject({
		class: v.optional(v.string()),
		hosts: texts,
		headers: texts,
		methods: texts,
		paths: texts,
		environment: v.optional(v.string()),
		longest: v.optional(v.string()),
		source: v.optional(
			v.pipe(v.string(), v.regex(/^(?:env|cmd):./, 'a source is written env:NAME or cmd:PROGRAM ARGUMENTS')),
		),
	}),
);

/** What a project proposes for one secret. Nothing of it is in force until a person approved it. */
export type Proposal = {
	readonly binding: Binding;
	/** Where the value could come from: `env:NAME` or `cmd:ARGV`. */ readonly source: string | undefined;
};

/** Reads a project's list of secrets, by name. An unknown key is an error with its line number. */
export function parseProposals(text: string): ReadonlyMap<string, Proposal> | Refusal {
	const hint = 'each secret: hosts, headers, methods, paths, environment, class, longest, source';
	const raw = parseClosed(text, schema, {path: proposalsPath, hint});
	if (raw instanceof Refusal) {
		return raw;
	}

	const found = new Map<string, Proposal>();
	for (const [name, {longest, source, ...rest}] of Object.entries(raw)) {
		const duration = longest === undefined ? undefined : parseDuration(longest);
		const binding = duration instanceof Refusal ? duration : makeBinding({...rest, longest: duration});
		if (binding instanceof Refusal) {
			return new Refusal(`${proposalsPath}: ${name}: ${binding.because}`, binding.hint);
		}

		found.set(name, {binding, source});
	}

	return found;
}
