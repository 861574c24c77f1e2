import type {Binding} from '../../core/secrets/secret.ts';
import type {LoginNeed} from '../../core/seams.ts';

/** A token of GitHub's that somebody signed in for; the long-lived ones that a page makes are no login. */
const tokenPattern = /^gh[ou]_[A-Za-z0-9_]{20,}$/;

function tokenIn(value: unknown, depth = 0): string | undefined {
	if (typeof value === 'string') {
		return tokenPattern.test(value) ? value : undefined;
	}

	return typeof value === 'object' && value !== null && depth < 4
		? Object.values(value)
				.map(part => tokenIn(part, depth + 1))
				.find(found => found !== undefined)
		: undefined;
}

/** The login of GitHub's device flow, as Copilot keeps it where there is no keyring. It lives until it is taken back. */
export const copilotLogin = (binding: Binding): LoginNeed => ({
	name: 'copilot',
	title: 'GitHub Copilot',
	secret: 'copilot-login',
	binding,
	files: ['.copilot/config.json', '.config/github-copilot/apps.json', '.config/github-copilot/hosts.json'],
	signIn: 'copilot login',
	read(file) {
		const access = tokenIn(file);
		return access === undefined ? undefined : {access};
	},
});
