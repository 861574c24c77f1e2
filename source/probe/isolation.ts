import fs from 'node:fs';
import process from 'node:process';
import {report, request, run, tries, wordsOf} from './attempts.ts';

/* The kernel's limits: privileges, namespaces, other processes, system calls. */

export function isolation(): void {
	const status = fs.readFileSync('/proc/self/status', 'utf8');
	const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
	const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(name => value(name));
	report({
		id: 'isolation.privileges',
		blocked: capabilities.every(set => /^0+$/.test(set)) && value('NoNewPrivs') === '1' && value('Seccomp') === '2',
		seen:
			`capabilities ${capabilities.every(set => /^0+$/.test(set)) ? 'none' : capabilities.join(' ')}, ` +
			`no_new_privs ${value('NoNewPrivs')}, seccomp ${value('Seccomp')}`,
	});

	const same = Object.entries(request.namespaces)
		.filter(([name, id]) => fs.readlinkSync(`/proc/self/ns/${name}`) === id)
		.map(([name]) => name);
	report({
		id: 'isolation.namespaces',
		blocked: same.length === 0,
		seen:
			same.length === 0
				? `${Object.keys(request.namespaces).join(', ')}: all its own`
				: `shared with the host: ${same.join(', ')}`,
	});

	tries('isolation.signal', () => {
		process.kill(request.sentinelPid, 'SIGTERM');
		return 'a signal was sent';
	});
	tries('isolation.ptrace', () => fs.readFileSync(`/proc/${request.sentinelPid}/environ`, 'utf8').slice(0, 20));

	programs();
	const limits = fs.readFileSync('/proc/self/limits', 'utf8');
	const over = Object.entries(request.limits)
		.filter(([title, limit]) => {
			const [, soft = '', hard = ''] = new RegExp(`^${title}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(limits) ?? [];
			return !(Number(soft) <= limit && Number(hard) <= limit);
		})
		.map(([title]) => title);
	report({
		id: 'isolation.limits',
		blocked: over.length === 0,
		seen:
			over.length === 0
				? `processes, descriptors, file size${'Max data size' in request.limits ? ', memory' : ''} and core files are limited`
				: `over the limit: ${over.join(', ')}`,
	});
}

/** What needs a program, or a descriptor of the kernel's own settings. */
function programs(): void {
	const commands: Array<[string, string[], string[]]> = [
		['mount', ['mount', '-t', 'tmpfs', 'none', '/mnt'], ['mount', '--version']],
		['unshare', ['unshare', '--user', 'true'], ['unshare', '--version']],
	];
	for (const [id, argv, control] of commands) {
		const {code, text} = run(argv);
		report({
			id: `isolation.${id}`,
			blocked: code === null ? undefined : code !== 0,
			seen: text || `exit code ${code}`,
			control: run(control).code === 0,
		});
	}

	// Opened for writing and closed: that alone would prove it.
	try {
		fs.closeSync(fs.openSync('/proc/sys/kernel/core_pattern', fs.constants.O_WRONLY));
		report({id: 'isolation.core_pattern', blocked: false, seen: 'opened for writing'});
	} catch (error) {
		report({
			id: 'isolation.core_pattern',
			blocked: true,
			seen: wordsOf(error),
			control: fs.existsSync('/proc/sys/kernel/core_pattern'),
		});
	}

	const inject = run(['perl', '-e', '$x = "x"; print ioctl(STDIN, 0x5412, $x) ? "typed" : "errno " . ($! + 0)'], {
		input: '',
	});
	report({
		id: 'isolation.tiocsti',
		blocked: inject.code === 0 ? inject.text === 'errno 1' : undefined,
		seen: inject.text,
		control: inject.code === 0,
	});
}
