import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';
import {hostsIn, unique} from './hosts.ts';

/** A folder to build in that git keeps nothing of. */
function buildFolder({paths}: ProjectFolder): string {
	return (
		['build', 'out/build', 'cmake-build'].find(
			name => !paths.some(file => file === name || file.startsWith(`${name}/`)),
		) ?? 'build-verify'
	);
}

/** Texts of the files that CMakeLists.txt most often includes. */
function modulesOf(folder: ProjectFolder): string[] {
	return folder.paths.filter(name => /^cmake\/[^/]+\.cmake$/.test(name)).map(name => folder.text(name) ?? '');
}

/** A step of the build that fetches, as against one of a file that the project has. */
const downloads = /\bExternalProject_Add\s*\([^)]*\b(?:GIT_REPOSITORY|URL)\s+"?(?:https?|git|ssh):/;

/** Where what is fetched comes from. What GitHub has, it leads on to these. */
function hostsOf(text: string): string[] {
	const named = hostsIn(text, /\b(?:GIT_REPOSITORY|URL)\s+"?(https?:\/\/[^\s")]+)/g);
	const isAtGithub = named.length === 0 || /github\.com|\bCPMAddPackage\b/.test(text);
	const github = ['github.com', 'codeload.github.com', 'release-assets.githubusercontent.com'];
	return unique([...(isAtGithub ? github : []), ...named]);
}

/** CMake. What it fetches by itself is fetched by setup, where the files name that. */
export const cmake: ProjectKind = {
	id: 'cmake',
	title: 'CMake',
	language: 'C',
	manifests: ['CMakeLists.txt'],
	isCalled: true,
	reads: ['CMakeLists.txt', 'CMakePresets.json', 'cmake/'],
	detect(folder) {
		const text = folder.text('CMakeLists.txt');
		if (text === undefined || !/^\s*project\s*\(/im.test(text)) {
			return undefined;
		}

		const build = buildFolder(folder);
		const all = [text, ...modulesOf(folder)].join('\n').replaceAll(/^\s*#.*$/gm, '');
		const fetches = /\b(?:FetchContent_(?:Declare|MakeAvailable|Populate)|CPMAddPackage)\b/.test(all);
		const hasTests =
			/\b(?:enable_testing|add_test|include\s*\(\s*CTest)\b/i.test(text) ||
			folder.paths.some(name => /^tests?\/CMakeLists\.txt$/.test(name));
		const sources = fetches ? ' -DFETCHCONTENT_BASE_DIR="$HOME/.cache/fetchcontent"' : '';
		return {
			by: 'CMakeLists.txt',
			program: 'cmake',
			setup: fetches ? [`cmake -S . -B /tmp/build${sources}`] : [],
			verify: [
				`cmake -S . -B ${build}${sources}${fetches ? ' -DFETCHCONTENT_FULLY_DISCONNECTED=ON' : ''}`,
				`cmake --build ${build} --parallel`,
				...(hasTests ? [`ctest --test-dir ${build} --output-on-failure --no-tests=error`] : []),
			],
			network: fetches ? hostsOf(all) : [],
			inputs: fetches ? folder.paths.filter(name => /(?:^|\/)CMakeLists\.txt$|\.cmake$/.test(name)).slice(0, 200) : [],
			preview: undefined,
			notes: [
				...(hasTests ? [] : ['CMakeLists.txt adds no test: that it builds is all that is verified']),
				...(downloads.test(all)
					? [
							'ExternalProject_Add downloads while it builds, where verify has no network: FetchContent does it in setup',
						]
					: []),
			],
		};
	},
};
