package frontend

// Routes lists the whole table, as method and path.
func Routes() (list [][2]string) {
	for _, r := range routes {
		list = append(list, [2]string{r.method, r.path})
	}
	return list
}
