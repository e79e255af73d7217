export { absent } from './absent.ts'
export { apt, type AptOptions } from './apt.ts'
export { block, type BlockOptions } from './block.ts'
export { command, type CommandOptions } from './command.ts'
export { directory, type DirectoryOptions } from './directory.ts'
export { nfsExport, type NfsClient, type NfsExportOptions } from './export.ts'
export { file, type FileAttributes, type FileOptions } from './file.ts'
export { group, type GroupOptions } from './group.ts'
export { kernelModule, type KernelModuleOptions } from './kernel-module.ts'
export { line, type LineOptions } from './line.ts'
export { link, type LinkOptions } from './link.ts'
export { machineFacts } from './machine-facts.ts'
export { mount, type MountOptions } from './mount.ts'
export { reboot, type RebootOptions } from './reboot.ts'
export { service, type ServiceOptions } from './service.ts'
export { sysctl, type SysctlOptions } from './sysctl.ts'
export { renderTemplate, template, type TemplateOptions, type TemplateSource } from './template.ts'
export { user, type UserOptions } from './user.ts'
export { waitFor, type WaitForOptions } from './wait-for.ts'
export { dockerRepository, dockerRunning, type DockerRepositoryOptions } from './docker.ts'
export { nodeLabels, nodeRoles, type NodeLabelsOptions, type NodeRolesOptions } from './label.ts'
export { nodesReady, type NodesReadyOptions } from './nodes-ready.ts'
export { stack, stackConfigsPruned, type StackConfigsPrunedOptions, type StackOptions } from './stack.ts'
export {
  swarmInit,
  swarmJoin,
  swarmState,
  swarmTokens,
  type SwarmInitOptions,
  type SwarmJoinOptions,
} from './swarm.ts'
export { image, loadedImages, type ImageOptions, type LoadedImagesOptions } from './image.ts'
export { networkInterface, type NetworkInterfaceOptions } from './network-interface.ts'
export { preflight, type PreflightOptions } from './preflight.ts'
export { preflightAcross, type PreflightAcrossOptions } from './preflight-across.ts'
export { routes, type RoutesOptions } from './routes.ts'
