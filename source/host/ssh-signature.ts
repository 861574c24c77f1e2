import {createHash, createPublicKey, verify, type KeyObject} from 'node:crypto';

/*
 * SSH signatures (PROTOCOL.sshsig of OpenSSH), looked at without a process for each. Only what is good is said here: of
 * everything else, `ssh-keygen -Y verify` says whether it is good in a way that this file does not know, or why not.
 */

/** Reads what SSH writes: strings with their length before them. */
class Reader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	take(length: number): Buffer {
		const end = this.#at + length;
		if (end > this.#bytes.length) {
			throw new RangeError('too short');
		}

		const part = this.#bytes.subarray(this.#at, end);
		this.#at = end;
		return part;
	}

	string(): Buffer {
		return this.take(this.take(4).readUInt32BE());
	}

	text(): string {
		return this.string().toString('latin1');
	}

	/** A positive number in its shortest form, without the zero before a high bit. */
	number(): Buffer {
		const bytes = this.string();
		const isShortest = bytes.length > 0 && bytes[0]! < 0x80 && (bytes[0] !== 0 || (bytes[1] ?? 0) >= 0x80);
		if (!isShortest) {
			throw new RangeError('not a positive number');
		}

		return bytes[0] === 0 ? bytes.subarray(1) : bytes;
	}

	end(): void {
		if (this.#at !== this.#bytes.length) {
			throw new RangeError('too long');
		}
	}
}

const string = (bytes: Buffer | string) => {
	const own = Buffer.from(bytes as string);
	const length = Buffer.alloc(4);
	length.writeUInt32BE(own.length);
	return Buffer.concat([length, own]);
};

/** What a signature says of itself. `key`: `TYPE BASE64`, as in a public key's line. */
export type SshSignature = {
	readonly key: string;
	readonly namespace: string;
	readonly reserved: Buffer;
	readonly hash: string;
	/** The key and the signature as SSH writes them. */
	readonly keyBytes: Buffer;
	readonly bytes: Buffer;
};

/**
 * Takes a signature apart.
 * @param armoured as `ssh-keygen -Y sign` writes it
 * @returns undefined for what is none
 */
export function readSshSignature(armoured: string): SshSignature | undefined {
	const base64 = /^-----BEGIN SSH SIGNATURE-----\n([\w+/=\n]+)\n-----END SSH SIGNATURE-----\n?$/.exec(armoured)?.[1];
	const plain = base64?.replaceAll('\n', '');
	if (plain === undefined || plain.length % 4 !== 0 || !/^[\w+/]+={0,2}$/.test(plain) || plain.includes('_')) {
		return undefined;
	}

	try {
		const reader = new Reader(Buffer.from(plain, 'base64'));
		if (reader.take(6).toString('latin1') !== 'SSHSIG' || reader.take(4).readUInt32BE() !== 1) {
			return undefined;
		}

		const keyBytes = reader.string();
		const namespace = reader.string().toString('utf8');
		const reserved = reader.string();
		const hash = reader.text();
		const bytes = reader.string();
		reader.end();
		const key = `${new Reader(keyBytes).text()} ${keyBytes.toString('base64')}`;
		return {key, namespace, reserved, hash, keyBytes, bytes};
	} catch {
		return undefined;
	}
}

const curves: Readonly<Record<string, readonly [curve: string, size: number, hash: string]>> = {
	nistp256: ['P-256', 32, 'sha256'],
	nistp384: ['P-384', 48, 'sha384'],
	nistp521: ['P-521', 66, 'sha512'],
};

const rsaHashes: Readonly<Record<string, string>> = {'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512'};

const base64url = (bytes: Buffer) => bytes.toString('base64url');

/** How a kind of key verifies. Throws for what is not as it should be. */
type Check = (data: Buffer) => boolean;

function ed25519(key: Reader, signature: Reader): Check {
	const point = key.string();
	const own = createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x: base64url(point)}, format: 'jwk'});
	const bytes = signature.string();
	return data => point.length === 32 && bytes.length === 64 && verify(null, data, own, bytes);
}

function ecdsa(key: Reader, signature: Reader, type: string): Check {
	const name = key.text();
	const [curve = '', size = 0, hash = ''] = curves[name] ?? [];
	const point = key.string();
	if (type !== `ecdsa-sha2-${name}` || size === 0 || point.length !== 1 + 2 * size || point[0] !== 4) {
		throw new RangeError('not a key');
	}

	const own: KeyObject = createPublicKey({
		key: {
			kty: 'EC',
			crv: curve,
			x: base64url(point.subarray(1, 1 + size)),
			y: base64url(point.subarray(1 + size)),
		},
		format: 'jwk',
	});
	const inner = new Reader(signature.string());
	const parts = [inner.number(), inner.number()].map(part => {
		if (part.length > size) {
			throw new RangeError('too long');
		}

		return Buffer.concat([Buffer.alloc(size - part.length), part]);
	});
	inner.end();
	return data => verify(hash, data, {key: own, dsaEncoding: 'ieee-p1363'}, Buffer.concat(parts));
}

function rsa(key: Reader, signature: Reader, kind: string): Check {
	const [exponent, modulus] = [key.number(), key.number()];
	const hash = rsaHashes[kind];
	const bytes = signature.string();
	// A shorter key, or a signature without its zeros, is left to ssh-keygen.
	if (hash === undefined || modulus.length < 256 || bytes.length !== modulus.length) {
		throw new RangeError('not a signature');
	}

	const own = createPublicKey({key: {kty: 'RSA', n: base64url(modulus), e: base64url(exponent)}, format: 'jwk'});
	return data => verify(hash, data, own, bytes);
}

/**
 * Whether it is surely a good signature of exactly that text, by the key that it names. False says nothing.
 * @param text a string is taken as UTF-8
 */
export function isGoodSshSignature(signature: SshSignature, text: string | Uint8Array, namespace: string): boolean {
	const {hash, keyBytes, bytes, reserved} = signature;
	if (signature.namespace !== namespace || namespace === '' || reserved.length > 0 || !/^sha(?:256|512)$/.test(hash)) {
		return false;
	}

	try {
		const [key, own] = [new Reader(keyBytes), new Reader(bytes)];
		const [type, kind] = [key.text(), own.text()];
		let check: Check | undefined;
		if (type === 'ssh-rsa') {
			check = rsa(key, own, kind);
		} else if (type !== kind) {
			return false;
		} else if (type === 'ssh-ed25519') {
			check = ed25519(key, own);
		} else if (type.startsWith('ecdsa-sha2-')) {
			check = ecdsa(key, own, type);
		}

		key.end();
		own.end();
		const digest = createHash(hash)
			.update(text as string)
			.digest();
		const signed = Buffer.concat([
			Buffer.from('SSHSIG'),
			string(namespace),
			string(reserved),
			string(hash),
			string(digest),
		]);
		return check?.(signed) ?? false;
	} catch {
		return false;
	}
}
