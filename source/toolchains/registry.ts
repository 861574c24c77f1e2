import type {Toolchain} from '../core/toolchain.ts';
import {go, goPrograms, homebrew, jvm, nix, opt, singles} from './installations.ts';
import {local} from './local.ts';
import {asdf, mise} from './managers.ts';
import {node, volta} from './node.ts';
import {pyenv} from './python.ts';
import {rust} from './rust.ts';

/** Every kind of toolchain, in the order in which they are asked: managers before what they manage. */
export const toolchains: readonly Toolchain[] = [
	volta,
	asdf,
	mise,
	pyenv,
	rust,
	node,
	go,
	jvm,
	singles,
	goPrograms,
	homebrew,
	nix,
	local,
	opt,
];
