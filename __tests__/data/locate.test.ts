import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { DataOptions } from '../../src/config/types.js'
import { nodeFiles } from '../../src/data/files.js'
import { locateData } from '../../src/data/locate.js'
import { bytesAt, defaults, fashion, load, plainPng, withFiles } from './support.js'

const lfsPointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'
const png = plainPng(7)

const locate = (path: string, options: Partial<DataOptions> = {}, samples?: number) =>
  locateData(path, { ...defaults, ...options }, samples)

async function folderData(path: string, options: Partial<DataOptions> = {}, samples?: number) {
  const raw = await locate(path, options, samples)
  if (raw.kind !== 'folder') throw new Error(`located ${raw.kind}`)
  return raw
}

describe('a folder with one folder per class', () => {
  const files = {
    'images/dog/2.png': png,
    'images/dog/10.PNG': png,
    'images/Zebra/a.jpeg': png,
    'images/cat/x.JPG': png,
    'images/cat/y.jpg': png,
    'images/cat/z.png': png,
    'images/cat/notes.txt': 'not an image',
    'images/cat/.hidden.png': 'not an image',
    'images/.git/config': 'not a class',
    'images/README.md': 'not a class',
  }

  test('labels are the sorted folders, images come from each class in turn', () =>
    withFiles(files, async (root) => {
      const raw = await folderData(join(root, 'images/'))
      expect(raw.name).toBe('images')
      expect(raw.classNames).toEqual(['Zebra', 'cat', 'dog'])
      expect(raw.files.map(({ name, label }) => [name, label])).toEqual([
        ['images/Zebra/a.jpeg', 0],
        ['images/cat/x.JPG', 1],
        ['images/dog/10.PNG', 2],
        ['images/cat/y.jpg', 1],
        ['images/dog/2.png', 2],
        ['images/cat/z.png', 1],
      ])
    }))

  test('with a number of samples no other file is read', () =>
    withFiles({ ...files, 'images/cat/y.jpg': lfsPointer }, async (root) => {
      const opened: string[] = []
      const watched = {
        ...nodeFiles,
        readFile: (path: string) => {
          opened.push(path)
          return nodeFiles.readFile(path)
        },
      }
      const raw = await locateData(join(root, 'images'), defaults, 3, watched)
      expect(raw.kind === 'folder' && raw.files.map(({ label }) => label)).toEqual([0, 1, 2])
      expect(opened).toHaveLength(3)
    }))

  test('a list of class names sets the order, and may name classes without images', () =>
    withFiles({ ...files, 'names.txt': 'dog\r\nhorse\r\ncat\r\nZebra\r\n' }, async (root) => {
      const raw = await folderData(join(root, 'images'), { classNames: join(root, 'names.txt') }, 3)
      expect(raw.classNames).toEqual(['dog', 'horse', 'cat', 'Zebra'])
      expect(raw.files.map(({ name, label }) => [name, label])).toEqual([
        ['images/dog/10.PNG', 0],
        ['images/cat/x.JPG', 2],
        ['images/Zebra/a.jpeg', 3],
      ])
    }))

  test.each([
    [
      'a folder outside the list',
      'dog\ncat\n',
      /Zebra: this folder is not in the list of class names; add "Zebra" to the list/,
    ],
    [
      'a class listed twice',
      'dog\ncat\ndog\nZebra',
      /names\.txt: names the class "dog" twice; write each class name once/,
    ],
    [
      'an empty line, which would shift the labels',
      'dog\n\ncat\nZebra',
      /names\.txt: line 2 is empty; write one class name a line/,
    ],
  ])('%s is refused', (_, names, message) =>
    withFiles({ ...files, 'names.txt': names }, (root) =>
      expect(locate(join(root, 'images'), { classNames: join(root, 'names.txt') })).rejects.toThrow(message),
    ),
  )

  test('fewer images than asked for names both numbers', () =>
    withFiles(files, (root) =>
      expect(locate(join(root, 'images'), {}, 7)).rejects.toThrow(
        /images: holds 6 images, but 7 were asked for; lower `samples` \(--samples\) or add images/,
      ),
    ))

  test('images without class folders are told how to lie', () =>
    withFiles({ 'images/a.png': png }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(
        /images: has no class folders; put the images of each class into a folder of their own/,
      ),
    ))

  test('an empty folder', () =>
    withFiles({ 'images/.gitkeep': '' }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(/images: this folder is empty; put one folder/),
    ))

  test('a class without images is not passed over, it would be a label nobody has', () =>
    withFiles({ 'images/cat/a.png': png, 'images/dog/notes.txt': '' }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(
        /images\/dog: this class folder has no .png, .jpg or .jpeg file/,
      ),
    ))

  test('images of a kind we cannot read are not left out in silence', () =>
    withFiles({ 'images/cat/a.png': png, 'images/cat/b.webp': '' }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(
        /cat\/b\.webp: only PNG and JPEG are read; convert this image/,
      ),
    ))
})

describe('what a stranger may put into a folder', () => {
  test('a name with a line break, which could pass for a command to the runner', () =>
    withFiles({ 'images/cat/a\n::error::b.png': png }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(
        /cat: the name "a\\n::error::b\.png" has a control character in it; rename that file/,
      ),
    ))

  test('a folder that is called like an image', () =>
    withFiles({ 'images/cat/a.png/b.png': png }, (root) =>
      expect(locate(join(root, 'images'))).rejects.toThrow(
        /cat\/a\.png: is not a regular file; give a file that holds data/,
      ),
    ))

  test('a link to itself', () =>
    withFiles({ 'images/cat/a.png': png }, async (root) => {
      await symlink('b.png', join(root, 'images/cat/b.png'))
      await expect(locate(join(root, 'images'))).rejects.toThrow(
        /b\.png: is a symbolic link to itself; put the file there/,
      )
    }))
})

describe('symbolic links', () => {
  const files = { 'secret/token.txt': 'secret', 'images/cat/a.png': png, 'images/dog/a.png': png }
  const leaves = /is a symbolic link that leaves .+; put the file there itself, or name the link's target/

  test('an image that links out of the data folder is refused', () =>
    withFiles(files, async (root) => {
      await symlink(join(root, 'secret/token.txt'), join(root, 'images/cat/b.png'))
      await expect(locate(join(root, 'images'))).rejects.toThrow(leaves)
    }))

  test('so is a class folder', () =>
    withFiles({ ...files, 'images-elsewhere/a.png': png }, async (root) => {
      await symlink(join(root, 'images-elsewhere'), join(root, 'images/horse'))
      await expect(locate(join(root, 'images'))).rejects.toThrow(leaves)
    }))

  test('so is a list of class names, which would be printed in the report', () =>
    withFiles(files, async (root) => {
      await symlink(join(root, 'secret/token.txt'), join(root, 'images/names.txt'))
      const options = { classNames: join(root, 'images/names.txt') }
      await expect(locate(join(root, 'images'), options)).rejects.toThrow(leaves)
    }))

  test('a link within the data folder is followed', () =>
    withFiles(files, async (root) => {
      await symlink('../dog/a.png', join(root, 'images/cat/b.png'))
      expect((await folderData(join(root, 'images'))).files).toHaveLength(3)
    }))

  test('a data folder that is itself a link is followed: the user named it', () =>
    withFiles(files, async (root) => {
      await symlink(join(root, 'images'), join(root, 'link'))
      expect((await folderData(join(root, 'link'))).files).toHaveLength(2)
    }))
})

describe('paths that cannot be used', () => {
  test('a missing file', () =>
    withFiles({}, (root) =>
      expect(locate(join(root, 'test.npz'))).rejects.toThrow(
        /test\.npz: no such file or folder; check the path, it is relative to the working directory/,
      ),
    ))

  test('an unknown kind of file lists what is read', () =>
    withFiles({ 'test.pkl': 'pickle' }, (root) =>
      expect(locate(join(root, 'test.pkl'))).rejects.toThrow(
        /test\.pkl: is of no kind that is read here; give an \.npz file, a folder with one folder of images per class, an IDX file or a \.csv file/,
      ),
    ))

  test.each(['test.npz', 'test.csv', 'images/cat/a.png'])(
    'a Git LFS pointer in %s says how to fetch the file',
    (name) =>
      withFiles({ [name]: lfsPointer }, (root) =>
        expect(locate(join(root, name.startsWith('images') ? 'images' : name))).rejects.toThrow(
          /is a Git LFS pointer, not the file itself; run `git lfs pull`, or set `lfs: true` on actions\/checkout/,
        ),
      ),
  )

  test('a file too large to read', () =>
    withFiles({ 'test.npz': '' }, (root) => {
      const stat = async (path: string) => {
        const info = await nodeFiles.stat(path)
        return { isFile: () => info.isFile(), isDirectory: () => info.isDirectory(), size: 3e9 }
      }
      const files = { ...nodeFiles, stat }
      return expect(locateData(join(root, 'test.npz'), defaults, undefined, files)).rejects.toThrow(
        /test\.npz: has 3000000000 bytes, more than the 2 GiB that are read; give fewer images/,
      )
    }))
})

describe('names for the classes of an archive', () => {
  const names = 'T-shirt\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nBoot\n'

  test('come from a text file', () =>
    withFiles({ 'names.txt': names }, async (root) => {
      const dataset = await load(fashion, { classNames: join(root, 'names.txt') }, 5)
      expect(dataset.classNames?.[dataset.labels[0]]).toBe('Boot')
    }))

  test('must name every label', () =>
    withFiles({ 'names.txt': 'T-shirt\nTrouser\n' }, (root) =>
      expect(load(fashion, { classNames: join(root, 'names.txt') }, 5)).rejects.toThrow(
        'fashion-test.npz: image 0 has label 9, but there are 2 class names; name every class',
      ),
    ))

  test('an archive is handed over as its bytes, nothing decoded', async () => {
    const raw = await locate(fashion)
    expect(raw).toMatchObject({ kind: 'npz', name: 'fashion-test.npz' })
    expect(raw.kind === 'npz' && Buffer.compare(raw.bytes, await bytesAt(fashion))).toBe(0)
  })
})
