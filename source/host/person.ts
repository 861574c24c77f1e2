import os from 'node:os';
import process from 'node:process';
import {eachControl} from '../core/text/controls.ts';
import {Refusal} from '../core/refusal.ts';

/* Who the person is. An account that /etc/passwd does not know, as containers have it, is one, too. */

/** The login, without control bytes; the uid where the account has no name. */
export function loginName(): string {
	try {
		return os.userInfo().username.replaceAll(eachControl, '') || `uid-${process.getuid?.() ?? 0}`;
	} catch {
		// The account is in no list, as in a container.
		return `uid-${process.getuid?.() ?? 0}`;
	}
}

/** The home folder. @throws Refusal where neither HOME nor the list of accounts names one */
export function homeFolder(environment: NodeJS.ProcessEnv = process.env): string {
	if (environment['HOME']) {
		return environment['HOME'];
	}

	try {
		return os.homedir();
	} catch {
		throw new Refusal('HOME is not set, and the account has no home folder', 'export HOME=/path/to/a/folder/of/yours');
	}
}
