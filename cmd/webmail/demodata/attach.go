package demodata

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"strings"
	"time"
)

// attachment makes a file by its name: the extension says what kind, tables and
// the attached message are by name.
func (l *letter) attachment(name string) (*part, error) {
	switch path.Ext(name) {
	case ".pdf":
		lines := []string{"Northwind Field Tools", "", strings.TrimPrefix(l.subject, "Re: "), l.date.Format("2 January 2006"), ""}
		return attached(name, "application/pdf", pdf(append(lines, strings.Split(l.script.body, "\n")...))), nil
	case ".png":
		return attached(name, "image/png", picture(name)), nil
	case ".csv":
		return attached(name, "text/csv", []byte(table(name))), nil
	case ".ics":
		ics, err := l.invitation("7d 10:00 60m The allotment")
		return attached(name, "text/calendar", ics), err
	case ".zip":
		data, err := archive(l.date)
		return attached(name, "application/zip", data), err
	case ".eml":
		return attached(name, "message/rfc822", l.complaint()), nil
	}
	return nil, fmt.Errorf("no way to make %q", name)
}

// table is a CSV file; its lines end as spreadsheets end them.
func table(name string) string {
	rows := map[string][]string{
		"cost-sheet.csv": {"part,supplier,unit cost,per tool", "blade,Tanaka Forge,4.10,1", "handle,Holzwerk Vogel,2.35,1",
			"ferrule,Tanaka Forge,0.62,1", "rivet,stock,0.04,2", "box,stock,0.48,1"},
		"seed-list.csv": {"variety,who has it,packets", "broad bean 'Aquadulce',Carol,4", "runner bean,Bob,2",
			"beetroot,Alice,3", "sweet pea,Carol,6", "kale 'Nero',Ines,5"},
		"drop-test.csv": {"sample,height m,floor,result", "A1,1.0,oak,pass", "A2,1.0,stone,pass", "A3,1.5,oak,pass",
			"A4,1.5,stone,chip at ferrule", "A5,2.0,stone,pass"},
		"expenses.csv": {"date,what,amount", "day 1,train,64.20", "day 1,dinner,23.50", "day 2,train,64.20"},
	}[name]
	return strings.Join(rows, "\r\n") + "\r\n"
}

// archive is a small ZIP file of drawings.
func archive(date time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{"atlas/README.txt", []byte("Handle drawings, all measures in millimetres.\r\n")},
		{"atlas/swatches.png", picture("swatches.png")},
		{"atlas/measures.csv", []byte("size,length,width\r\nS,118,27\r\nM,126,29\r\nL,134,31\r\n")},
	} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: file.name, Method: zip.Deflate, Modified: date.UTC().Truncate(time.Hour)})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(file.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// complaint is the message that the support desk passes on as a whole.
func (l *letter) complaint() []byte {
	var b bytes.Buffer
	field(&b, "From", `"P. Lindqvist" <lindqvist@example.net>`)
	field(&b, "To", "help@example.com")
	field(&b, "Subject", "A loose ferrule, and a thank you")
	field(&b, "Date", l.date.Add(-90*time.Minute).Format(time.RFC1123Z))
	field(&b, "Message-ID", "<lindqvist.1@mail.example.net>")
	field(&b, "MIME-Version", "1.0")
	field(&b, "Content-Type", "text/plain; charset=UTF-8")
	b.WriteString("\r\nHello,\r\n\r\nafter eleven years the ferrule of my trowel has come loose.\r\n" +
		"I do not want a new tool, I am fond of this one. Could you sell me\r\nthe small ring alone?\r\n\r\nP. Lindqvist\r\n")
	return b.Bytes()
}
