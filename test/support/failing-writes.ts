import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import process from 'node:process';

/*
 * Loaded into a process before anything else (--import). Of everything that the process writes below a folder, it has
 * the one whose turn it is fail, and all that come after it, as on a disk that is full from then on. Configured by
 * FAIL, "CODE NUMBER FOLDER [short]": `short` has the first of them write half of its bytes before. What was counted
 * is written to descriptor 3 at the end.
 */

const [code = '', number = '0', folder = '', short] = (process.env['FAIL'] ?? '').split(' ');
const files = new Map<number, string>();
let count = 0;
let halved = false;

function isOurs(file: unknown): boolean {
	return typeof file === 'string' ? file.startsWith(`${folder}/`) : typeof file === 'number' && files.has(file);
}

function fails(): boolean {
	count++;
	return count >= Number(number);
}

function failure(call: string): Error {
	return Object.assign(new Error(`${code}: injected, ${call}`), {code, syscall: call});
}

const real = {...fs};
const changed: Record<string, (...all: any[]) => unknown> = {
	openSync(file: string, flags?: string | number, ...rest: [number?]) {
		const writes =
			typeof flags === 'string'
				? /[wa+]/.test(flags)
				: typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0;
		// What is there can be opened on a full disk; what is to be made cannot.
		if (writes && isOurs(file) && !real.existsSync(file) && fails()) {
			throw failure('open');
		}

		const descriptor = real.openSync(file, flags ?? 'r', ...rest);
		if (writes && isOurs(file)) {
			files.set(descriptor, file);
		}

		return descriptor;
	},
	closeSync(descriptor: number) {
		files.delete(descriptor);
		real.closeSync(descriptor);
	},
	writeSync(descriptor: number, bytes: any, ...rest: any[]) {
		if (isOurs(descriptor) && fails()) {
			if (short && !halved) {
				halved = true;
				const whole =
					typeof bytes === 'string'
						? Buffer.from(bytes)
						: Buffer.from(bytes.buffer, bytes.byteOffset + (rest[0] ?? 0), rest[1] ?? bytes.length);
				return whole.length < 2 ? 0 : real.writeSync(descriptor, whole.subarray(0, whole.length >> 1));
			}

			throw failure('write');
		}

		return (real.writeSync as any)(descriptor, bytes, ...rest);
	},
};
for (const name of ['fdatasyncSync', 'fsyncSync'] as const) {
	changed[name] = (descriptor: number) => {
		if (isOurs(descriptor) && fails()) {
			throw failure(name);
		}

		real[name](descriptor);
	};
}

for (const name of [
	'writeFileSync',
	'appendFileSync',
	'mkdirSync',
	'copyFileSync',
	'renameSync',
	'utimesSync',
	'symlinkSync',
] as const) {
	changed[name] = (...argv: any[]) => {
		const target = ['copyFileSync', 'renameSync', 'symlinkSync'].includes(name) ? argv[1] : argv[0];
		if (isOurs(target) && !(name === 'mkdirSync' && real.existsSync(target)) && fails()) {
			if (short && !halved && name === 'writeFileSync') {
				halved = true;
				(real.writeFileSync as any)(
					argv[0],
					Buffer.from(argv[1]).subarray(0, Buffer.from(argv[1]).length >> 1),
					argv[2],
				);
			}

			throw failure(name);
		}

		return (real[name] as any)(...argv);
	};
}

Object.assign(fs, changed);
syncBuiltinESMExports();
process.on('exit', () => {
	try {
		real.writeSync(3, String(count));
	} catch {
		// The descriptor is open only where somebody wants the count.
	}
});
