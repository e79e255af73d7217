export { absent } from './absent.ts'
export { apt, type AptOptions } from './apt.ts'
export {
  aptLists,
  aptUpgraded,
  aptUpgrades,
  type AptListsOptions,
  type AptUpgradedOptions,
} from './apt-upgraded.ts'
export { authorizedKey, type AuthorizedKeyOptions } from './authorized-key.ts'
export { block, type BlockOptions } from './block.ts'
export { checkedConfig, type CheckedConfigOptions } from './checked-config.ts'
export { command, type CommandOptions } from './command.ts'
export { cron, type CronOptions } from './cron.ts'
export { directory, type DirectoryOptions } from './directory.ts'
export { nfsExport, type NfsClient, type NfsExportOptions } from './export.ts'
export { file, type FileAttributes, type FileOptions } from './file.ts'
export { group, type GroupOptions } from './group.ts'
export { kernelModule, type KernelModuleOptions } from './kernel-module.ts'
export { line, type LineOptions } from './line.ts'
export { link, type LinkOptions } from './link.ts'
export { machineFacts } from './machine-facts.ts'
export { mount, type MountOptions } from './mount.ts'
export { reboot, rebootNeeded, type RebootOptions } from './reboot.ts'
export { service, type ServiceOptions } from './service.ts'
export { sysctl, type SysctlOptions } from './sysctl.ts'
export { renderTemplate, template, type TemplateOptions, type TemplateSource } from './template.ts'
export { timezone, type TimezoneOptions } from './timezone.ts'
export { user, type UserOptions } from './user.ts'
export { waitFor, type WaitForOptions } from './wait-for.ts'
export { dockerRunning } from './docker.ts'
export { dockerRepository, type DockerRepositoryOptions } from './docker-repository.ts'
export { ghostsRemoved } from './ghosts-removed.ts'
export { nodeDrained, nodesActive, type NodeDrainedOptions } from './node-drained.ts'
export { laterNodeLabels, nodeLabels, type NodeLabelsOptions } from './node-labels.ts'
export { nodeDemoted, nodeMayGo, nodeRemoved, type NodeOfSwarm } from './node-removed.ts'
export { nodeRoles, type NodeRolesOptions } from './node-roles.ts'
export { nodesReady, type NodesReadyOptions } from './nodes-ready.ts'
export { stack, type StackOptions } from './stack.ts'
export { stackConfigsPruned, type StackConfigsPrunedOptions } from './stack-configs.ts'
export { stackRemoved, type StackRemovedOptions } from './stack-removed.ts'
export { stackRunning, type StackRunningOptions } from './stack-running.ts'
export { swarmInit, type SwarmInitOptions } from './swarm-init.ts'
export { swarmJoin, type SwarmJoinOptions } from './swarm-join.ts'
export { swarmLeft, type SwarmLeftOptions } from './swarm-left.ts'
export { type SwarmMembers } from './swarm-nodes.ts'
export { swarmState } from './swarm-state.ts'
export { swarmTokens } from './swarm-tokens.ts'
export { swarmTrouble, type Trouble } from './swarm-trouble.ts'
export { image, loadedImages, type ImageOptions, type LoadedImagesOptions } from './image.ts'
export { networkInterface, type NetworkInterfaceOptions } from './network-interface.ts'
export { preflight, type PreflightOptions } from './preflight.ts'
export { preflightAcross, type PreflightAcrossOptions } from './preflight-across.ts'
export { routes, type RoutesOptions } from './routes.ts'
export {
  balancerReady,
  keepalivedState,
  vipReleased,
  type BalancerReadyOptions,
  type VipReleasedOptions,
} from './vip.ts'
