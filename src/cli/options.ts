import type { Command } from 'commander'
import { kebabCase } from '../config/keys.js'

/** Flag of a setting → what `--help` says. Their names and meanings are those of config/schema.ts, which parses them. */
export type SettingFlags = Readonly<Record<string, readonly [value: string, help: string]>>

export const dataFlags: SettingFlags = {
  data: ['PATH', '.npz (x, y), folder with a folder of images per class, IDX, or CSV with the label first'],
  samples: ['N', 'the first N images (default: all); of class folders, one of each class in turn'],
  range: ['LOW,HIGH', "bounds of a pixel, as in the model's training before mean and std (default: 0,1)"],
  layout: ['LAYOUT', "of the data's arrays: nchw, nhwc or flat (default: nchw)"],
  shape: ['C,H,W', 'of one image, where the data does not say: CSV'],
  resize: ['PIXELS', 'image folders: length of the shorter side'],
  crop: ['SIZE', 'image folders: centre crop, 224 or HEIGHTxWIDTH'],
  channels: ['KIND', 'image folders: auto, rgb or gray (default: auto)'],
  classNames: ['FILE', 'text file with one class name a line'],
  labels: ['FILE', 'IDX: the label file, when its name cannot be derived'],
}

export const modelFlags: SettingFlags = {
  mean: ['M[,M,M]', 'subtracted from the pixels, per channel or one for all (default: 0)'],
  std: ['S[,S,S]', 'divides the pixels after that (default: 1)'],
  inputLayout: ['LAYOUT', "the model's, where it differs from the data's"],
  channelOrder: ['ORDER', 'rgb or bgr (default: rgb)'],
}

export const baselineFlags: SettingFlags = {
  baselineMean: ['M[,M,M]', "the baseline's own mean (default: the candidate's; likewise the next three)"],
  baselineStd: ['S[,S,S]', "the baseline's own std"],
  baselineInputLayout: ['LAYOUT', "the baseline's own input layout"],
  baselineChannelOrder: ['ORDER', "the baseline's own channel order"],
}

export const ballFlags: SettingFlags = {
  norm: ['NORM', 'linf, l2 or l1 (default: linf)'],
  epsilon: ['E[,E]', "radius, in units of the data's range: 8/255, 0.1 (default: 8/255)"],
}

export const limitFlags: SettingFlags = {
  executionProvider: ['NAME', 'cpu, or cuda for an NVIDIA card (default: cpu)'],
  batch: ['N', 'images in one run of the model, 1 or a multiple of 16 (default: 64)'],
  timeLimit: ['SECONDS', 'for the evaluation of one model (default: 3600)'],
}

export const attackFlags: SettingFlags = {
  suite: [
    'NAME',
    'quick, standard, autoattack, autoattack-plus, autoattack-rand (default: standard@1); a config file can write out its own',
  ],
  ...ballFlags,
  quantised: ['BOOLEAN', 'true: only adversarial examples of 8 bits count (default: false)'],
  seed: ['N', 'of everything random (default: 0)'],
  workers: ['N', 'processes (default: one per core)'],
  ...limitFlags,
}

export const policyFlags: SettingFlags = {
  maxRobustDrop: ['POINTS', 'percentage points of robust accuracy that may be lost (default: 1)'],
  maxCleanDrop: ['POINTS', 'percentage points of clean accuracy that may be lost (default: 1)'],
  cleanBudget: ['POINTS', 'the same when robust accuracy rises significantly (default: 3)'],
  minRobustAccuracy: ['FRACTION', 'absolute floor of the worst case, 0.4 or 40%'],
  minCleanAccuracy: ['FRACTION', 'absolute floor of clean accuracy'],
  decision: ['KIND', 'significant, or observed: the plain threshold without a test (default: significant)'],
  significance: ['LEVEL', 'of the one-sided tests (default: 0.05)'],
  failOn: ['OUTCOME', 'regression, inconclusive or never (default: regression)'],
}

export function withFlags(command: Command, ...groups: readonly SettingFlags[]): Command {
  for (const [setting, [value, help]] of groups.flatMap((group) => Object.entries(group)))
    command.option(`--${kebabCase(setting)} <${value}>`, help)
  return command
}
