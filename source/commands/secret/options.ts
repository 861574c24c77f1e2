import {secretClasses} from '../../core/secrets/secret.ts';
import type {Context} from '../../engine/context.ts';
import type {Io} from '../../terminal/program.ts';
import {flag, json, text, texts, type OptionValues} from '../verb.ts';

/* What all of `fleet secret` takes, and what each of its actions is. */

export const options = {
	user: flag('a secret of your own, for every project'),
	project: flag('a secret of this project'),
	in: text('PROJECT', 'the project; by default the one this folder belongs to'),
	host: texts('HOST', 'where it may go: HOST, HOST:PORT or *.HOST; may be repeated'),
	header: texts('NAME', 'which header carries it (authorization); may be repeated'),
	method: texts('METHOD', 'with which methods (all); may be repeated'),
	path: texts('PATH', 'to which paths (all), such as /v1/*; may be repeated'),
	class: text('CLASS', 'model, task, setup or deploy', secretClasses),
	env: text('NAME', 'the variable that holds its pointer inside'),
	longest: text('TIME', 'the longest grant, such as 8h'),
	store: text('STORE', 'keyring, age or session', ['keyring', 'age', 'session']),
	from: text('SOURCE', 'env:NAME or "cmd:PROGRAM ARGUMENTS", asked at each use'),
	yes: flag('say yes to what the project proposes, or to reading a login'),
	json,
};

export type SecretOptions = OptionValues<typeof options>;

/** What was typed after the action. */
export type SecretRequest = {readonly name: string | undefined; readonly options: SecretOptions};

/** One of the things to do with secrets. Returns the exit code; nothing is 0. */
export type SecretAction = (context: Context, io: Io, request: SecretRequest) => Promise<number | void>;
