import type {ProjectKind} from '../core/project-kind.ts';
import {hostsIn, unique} from './hosts.ts';

const builds = ['settings.gradle.kts', 'settings.gradle', 'build.gradle.kts', 'build.gradle'];

/** Where Gradle itself is fetched from: its address leads on to these. */
const distribution = [
	'services.gradle.org',
	'downloads.gradle.org',
	'github.com',
	'release-assets.githubusercontent.com',
];

/** Gradle: by the project's own wrapper where it has one. A project that Maven builds, too, is left to Maven. */
export const gradle: ProjectKind = {
	id: 'gradle',
	title: 'Gradle',
	language: 'Java',
	manifests: builds,
	reads: [...builds, 'pom.xml', 'gradle/wrapper/'],
	detect(folder) {
		const by = builds.find(name => folder.paths.includes(name));
		if (by === undefined || folder.paths.includes('pom.xml')) {
			return undefined;
		}

		const hasWrapper = folder.paths.includes('gradlew') && folder.paths.includes('gradle/wrapper/gradle-wrapper.jar');
		const program = hasWrapper ? 'sh ./gradlew' : 'gradle';
		const texts = builds.map(name => folder.text(name) ?? '').join('\n');
		const wrapper = folder.text('gradle/wrapper/gradle-wrapper.properties')?.replaceAll(String.raw`\:`, ':');
		return {
			by,
			program: hasWrapper ? 'java' : 'gradle',
			// What tests run with is fetched when they run. Tests that fail there are told of by verify.
			setup: [`${program} --no-daemon --continue test || ${program} --no-daemon testClasses`],
			verify: [`${program} --no-daemon --offline test`],
			network: unique([
				'repo.maven.apache.org',
				'plugins.gradle.org',
				'plugins-artifacts.gradle.org',
				...(hasWrapper ? distribution : []),
				...hostsIn(wrapper, /^distributionUrl=(\S+)/gm),
				...(/\bgoogle\(\)/.test(texts) ? ['dl.google.com'] : []),
				...hostsIn(texts, /\burl\b[\s=(]*(?:uri\()?\s*["']([^"']+)["']/g),
			]),
			inputs: folder.paths
				.filter(name =>
					/(?:^|\/)(?:[\w.-]+\.gradle(?:\.kts)?|gradle\.properties|gradle\.lockfile|[\w.-]+\.versions\.toml|gradle-wrapper\.properties)$/.test(
						name,
					),
				)
				.slice(0, 200),
			preview: /org\.springframework\.boot/.test(texts) ? `${program} bootRun` : undefined,
			notes: [],
		};
	},
};
