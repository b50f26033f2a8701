package demodata

import "strings"

// RemotePicture is the image at a path of the hosts that the demo's mail names, as PNG whatever its name says;
// false for a path at which there is none.
func RemotePicture(path string) ([]byte, bool) {
	name, ok := strings.CutPrefix(path, "/autumn/")
	if !ok || !strings.HasSuffix(name, ".jpg") {
		return nil, false
	}
	return picture(strings.TrimSuffix(name, ".jpg") + ".png"), true
}
