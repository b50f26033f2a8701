package emulator

import (
	"regexp"
	"strconv"
)

var topicName = regexp.MustCompile(`^projects/[^/]+/topics/[^/]+$`)

// watchMailbox begins or renews a project's watch. A notification follows at once,
// which does not count for the limit of one a second.
func watchMailbox(c *call) (any, error) {
	var body struct {
		TopicName           string   `json:"topicName"`
		LabelIDs            []string `json:"labelIds"`
		LabelFilterBehavior string   `json:"labelFilterBehavior"`
		LabelFilterAction   string   `json:"labelFilterAction"` // its older name
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !topicName.MatchString(body.TopicName) {
		return nil, badRequest("Invalid topicName does not match projects/*/topics/*")
	}
	w := watch{
		Topic: body.TopicName, Labels: body.LabelIDs, Expires: c.srv.now().Add(watchLife).UnixMilli(),
		Exclude: body.LabelFilterBehavior == "exclude" || body.LabelFilterBehavior == "" && body.LabelFilterAction == "exclude",
	}
	head := uint64(0)
	_, err := c.changeSettings(func(s *settings) (any, error) {
		for _, id := range w.Labels {
			if c.box.labels.byID[id] == nil {
				return nil, badRequest("Invalid label: " + id)
			}
		}
		old, watched := s.Watches[c.project]
		if watched && old.Topic != w.Topic && old.Expires > c.srv.now().UnixMilli() {
			return nil, failedPrecondition("Only one user push notification client allowed per developer (call /stop then try again)")
		}
		if s.Watches == nil {
			s.Watches = map[string]watch{}
		}
		s.Watches[c.project] = w
		head = c.box.history.head
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	c.box.pusher.send(notice{c.box.email, w.Topic, head})
	return map[string]string{"historyId": strconv.FormatUint(head, 10), "expiration": strconv.FormatInt(w.Expires, 10)}, nil
}

func stopWatch(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		delete(s.Watches, c.project)
		return nil, nil
	})
}
