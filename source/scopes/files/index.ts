import {Refusal} from '../../core/refusal.ts';
import {isInForce, type Grant, type ScopeKind} from '../../core/scope.ts';

/** Read a folder or file outside the project. Takes effect when the run is next started. */
export const files: ScopeKind = {
	id: 'files',
	title: 'read one folder or file outside the project',
	usage: 'files:PATH',
	byDefault: false,
	effect: 'next start',
	warning: 'everything below it becomes readable to the run',
	parse(subject) {
		if (!subject.startsWith('/')) {
			return new Refusal(`"${subject.slice(0, 60)}" is not an absolute path`, 'write files:/path/to/folder');
		}

		if (/[\u0000-\u001F\u007F]/.test(subject) || subject.split('/').some(part => part === '..' || part === '.')) {
			return new Refusal('the path holds a control byte, "." or ".."', 'write the plain absolute path');
		}

		const path = subject.replaceAll(/\/+/g, '/').replace(/\/$/, '');
		return path === '' ? new Refusal('the whole file system is not a scope', 'name a folder') : path;
	},
	available(subject) {
		const reserved = ['/proc', '/sys', '/dev', '/run', '/tmp', '/etc', '/usr', '/home/agent', '/bin', '/lib', '/lib64', '/sbin', '/root', '/home', '/var/run'];
		const place = reserved.find(place => subject === place || (!['/root', '/home', '/tmp', '/usr', '/etc'].includes(place) && subject.startsWith(`${place}/`)));
		return place ? new Refusal(`${place} is not granted as files`, 'name a folder of its own') : undefined;
	},
};

/** The paths that the grants in force open for reading. `now` in milliseconds. */
export function filesPaths(grants: readonly Grant[], now: number): string[] {
	return grants.filter(grant => grant.scope.startsWith('files:') && isInForce(grant, now)).map(grant => grant.scope.slice('files:'.length));
}
