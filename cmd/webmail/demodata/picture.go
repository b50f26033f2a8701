package demodata

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
)

// picture draws a PNG file by its name; a name that is not known gets a garden.
func picture(name string) []byte {
	var img image.Image
	switch name {
	case "logo.png":
		img = logo()
	case "chart.png":
		img = chart()
	case "swatches.png":
		img = swatches()
	default:
		img = garden(len(name))
	}
	var b bytes.Buffer
	// A bytes.Buffer refuses nothing and the images have valid sizes.
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

var (
	paper  = color.RGBA{250, 249, 245, 255}
	leaf   = color.RGBA{46, 111, 78, 255}
	soil   = color.RGBA{122, 84, 56, 255}
	brass  = color.RGBA{201, 154, 62, 255}
	slate  = color.RGBA{70, 90, 110, 255}
	poppy  = color.RGBA{200, 76, 56, 255}
	faint  = color.RGBA{222, 219, 210, 255}
	accent = []color.RGBA{leaf, slate, brass, poppy, soil}
)

func canvas(w, h int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

func box(img *image.RGBA, x0, y0, x1, y1 int, c color.Color) {
	draw.Draw(img, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
}

// paint colours the points where inside says so.
func paint(img *image.RGBA, c color.Color, inside func(x, y float64) bool) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if inside(float64(x), float64(y)) {
				img.Set(x, y, c)
			}
		}
	}
}

// logo is a leaf on a round ground.
func logo() image.Image {
	img := canvas(96, 96, color.Transparent)
	paint(img, leaf, func(x, y float64) bool { return math.Hypot(x-48, y-48) < 46 })
	paint(img, paper, func(x, y float64) bool { return math.Hypot(x-34, y-60) < 38 && math.Hypot(x-62, y-34) < 38 })
	paint(img, leaf, func(x, y float64) bool { return math.Abs(x+y-96) < 2 && x > 26 && x < 66 })
	return img
}

// chart shows six pairs of bars over a grid.
func chart() image.Image {
	img := canvas(560, 280, paper)
	for y := 40; y <= 240; y += 40 {
		box(img, 40, y, 540, y+1, faint)
	}
	for i, pair := range [][2]int{{90, 60}, {110, 84}, {96, 102}, {140, 120}, {158, 131}, {176, 168}} {
		x := 62 + i*80
		box(img, x, 240-pair[0], x+24, 240, leaf)
		box(img, x+28, 240-pair[1], x+52, 240, brass)
	}
	box(img, 40, 240, 540, 242, slate)
	return img
}

// swatches are the colours that a handle could have.
func swatches() image.Image {
	img := canvas(520, 140, paper)
	for i, c := range accent {
		x := 20 + i*100
		box(img, x, 20, x+80, 96, c)
		box(img, x, 104, x+80, 120, color.RGBA{c.R / 2, c.G / 2, c.B / 2, 255})
	}
	return img
}

// garden is a landscape with a greenhouse; the hour moves its sun.
func garden(hour int) image.Image {
	img := canvas(480, 300, color.RGBA{206, 226, 236, 255})
	sun := 60 + float64(hour*53%360)
	paint(img, color.RGBA{250, 214, 120, 255}, func(x, y float64) bool { return math.Hypot(x-sun, y-70) < 32 })
	for i, c := range []color.RGBA{{150, 184, 150, 255}, {104, 152, 112, 255}, leaf} {
		base, rise := 170+float64(i)*38, 18+float64(i)*4
		paint(img, c, func(x, y float64) bool { return y > base+rise*math.Sin(x/(70+20*float64(i))+float64(hour+i)) })
	}
	box(img, 280, 176, 420, 246, color.RGBA{226, 238, 240, 255})
	paint(img, color.RGBA{200, 222, 228, 255}, func(x, y float64) bool { return y < 176 && y > 136+math.Abs(x-350)*0.55 })
	for x := 280; x <= 420; x += 28 {
		box(img, x, 176, x+3, 246, slate)
	}
	return img
}
