import {isUnreadable} from '../../core/text/controls.ts';
import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';
import {powerOf} from './power.ts';

function split(subject: string): {path: string; suffix: '' | ':rw'} {
	return subject.endsWith(':rw') ? {path: subject.slice(0, -3), suffix: ':rw'} : {path: subject, suffix: ''};
}

/**
 * Read, or with `:rw` change, a folder or file outside the project.
 * A run that is going on gets it at once where the sandbox can.
 */
export const files: ScopeKind = {
	id: 'files',
	title: 'read (or with :rw change) one folder or file outside the project',
	usage: 'files:PATH[:rw]',
	mark: 'files',
	byDefault: false,
	warning: 'everything below it becomes readable to the run; what it opened stays open to it after a revoke',
	afterRevoke:
		'to a program that stands in it, or holds something of it open, that stays readable, a folder with all below it, until it ends',
	parse(written) {
		const {path: subject, suffix} = split(written);
		if (!subject.startsWith('/')) {
			return new Refusal(`"${subject.slice(0, 60)}" is not an absolute path`, 'write files:/path/to/folder');
		}

		if (isUnreadable(subject) || subject.split('/').some(part => part === '..' || part === '.')) {
			return new Refusal('the path holds a character that is not seen, "." or ".."', 'write the plain absolute path');
		}

		const path = subject.replaceAll(/\/+/g, '/').replace(/\/$/, '');
		return path === '' ? new Refusal('the whole file system is not a scope', 'name a folder') : `${path}${suffix}`;
	},
	available(written) {
		const {path: subject, suffix} = split(written);
		const reserved = [
			'/proc',
			'/sys',
			'/dev',
			'/run',
			'/tmp',
			'/etc',
			'/usr',
			'/home/agent',
			'/bin',
			'/lib',
			'/lib64',
			'/sbin',
			'/root',
			'/home',
			'/var/run',
		];
		const place = reserved.find(
			place =>
				subject === place ||
				(!['/root', '/home', '/tmp', '/usr', '/etc'].includes(place) && subject.startsWith(`${place}/`)),
		);
		if (place) {
			return new Refusal(`${place} cannot be granted`, 'name a folder of its own');
		}

		const power = powerOf(subject, suffix === '' ? 'read' : 'write', {homes: [], guarded: []});
		return power && new Refusal(power.because, power.hint);
	},
	opens(subject) {
		const {path, suffix} = split(subject);
		return {files: {path, mode: suffix === '' ? 'read' : 'write'}};
	},
};
