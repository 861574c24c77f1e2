import type {Target} from '../network/target.ts';
import {printable} from '../names.ts';
import {Refusal} from '../refusal.ts';

/* Where a remote is: which forge, which project there, and where that is asked. Pure. */

export type Forge = 'github' | 'gitlab';

/** A project at a forge. */
export type ForgePlace = {
	readonly forge: Forge;
	/** Lower case. */
	readonly host: string;
	/** Of its pages and its API, where that is not 443. */
	readonly port?: number | undefined;
	/** `owner/name`; of GitLab with all its groups. */
	readonly path: string;
};

/** How a forge calls what is asked to be taken in. */
export const nounOf = (forge: Forge) => (forge === 'gitlab' ? 'merge request' : 'pull request');

/** `pull request 12`. */
export const requestName = (forge: Forge, number: number) => `${nounOf(forge)} ${number}`;

const segment = /^(?!\.{1,2}$)[\w.-]{1,100}$/;

/** Host, port and path of an address as git takes it; undefined for what leads to no server. */
function split(url: string): {scheme: string; host: string; port: string; path: string} | undefined {
	const whole = /^(https|ssh|http|git):\/\/(?:[^@/\\\s]*@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?\/+(.+)$/i.exec(url);
	if (whole) {
		const [, scheme = '', host = '', port = '', path = ''] = whole;
		return {scheme: scheme.toLowerCase(), host, port, path};
	}

	// As scp takes it. What has a slash before the colon is a path of this machine.
	const short = /^(?:[^@/\\\s:]+@)?([A-Za-z0-9.-]+):(?!\/\/)\/*(.+)$/i.exec(url);
	return short ? {scheme: 'ssh', host: short[1]!, port: '', path: short[2]!} : undefined;
}

/**
 * The project at a forge that a remote's address names.
 * @param forge as the policy says; undefined: GitLab where the host's name says so, else GitHub
 */
export function forgePlace(url: string, forge?: Forge): ForgePlace | Refusal {
	const found = split(url);
	if (!found || !['https', 'ssh'].includes(found.scheme)) {
		// An address may hold a password: only its beginning is said.
		const what = found ? `is reached by ${found.scheme}` : 'is a place of this machine';
		return new Refusal(
			`the remote ${what}, and a forge is reached by https or ssh`,
			'git remote set-url REMOTE https://HOST/OWNER/NAME.git, or git@HOST:OWNER/NAME.git',
		);
	}

	const host = found.host.toLowerCase();
	const kind = forge ?? (/gitlab/.test(host) ? 'gitlab' : 'github');
	const path = found.path.replace(/\/+$/, '').replace(/\.git$/, '');
	const segments = path.split('/');
	const isPath = kind === 'github' ? segments.length === 2 : segments.length >= 2 && segments.length <= 21;
	if (!isPath || !segments.every(name => segment.test(name))) {
		return new Refusal(
			`"${printable(path)}" is no project of ${kind === 'github' ? 'GitHub' : 'GitLab'}`,
			kind === 'github'
				? 'an address ends with OWNER/NAME; for GitLab, publish: {forge: gitlab} in the policy'
				: 'an address ends with GROUP/NAME',
		);
	}

	// The port of ssh says nothing of the one of the pages.
	const port = found.scheme === 'https' && found.port !== '' && found.port !== '443' ? Number(found.port) : undefined;
	return {forge: kind, host, ...(port === undefined ? {} : {port}), path};
}

/** `github.com/ada/web`. */
export function placeText({host, port, path}: ForgePlace): string {
	return `${host}${port === undefined ? '' : `:${port}`}/${path}`;
}

/** The page of a request. Made here, and not taken from an answer. */
export function pageOf(place: ForgePlace, number: number): string {
	return `https://${placeText(place)}${place.forge === 'gitlab' ? '/-/merge_requests/' : '/pull/'}${number}`;
}

/** Where a forge's API is: its server, and what every path of it begins with. */
export function apiOf({forge, host, port = 443}: ForgePlace): {
	readonly target: Required<Target>;
	readonly prefix: string;
} {
	if (forge === 'gitlab') {
		return {target: {host, port}, prefix: '/api/v4'};
	}

	return host === 'github.com'
		? {target: {host: 'api.github.com', port: 443}, prefix: ''}
		: {target: {host, port}, prefix: '/api/v3'};
}
